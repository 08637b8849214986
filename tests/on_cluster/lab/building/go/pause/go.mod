module example.com/pause

go 1.24.0
