// Sorting, filtering and paging, by TanStack Table: the table itself is plain HTML.
{
  const FACETS = ["state", "algorithm", "level", "properties", "source", "handoff"];
  const SIZES = [25, 50, 100, 250];

  page.FACETS = FACETS;
  page.PAGE_SIZES = SIZES;
  page.columns = [];
  page.shown = new Set();
  page.table = null;

  const isOneOf = (row, id, wanted) => {
    const value = row.getValue(id);
    // A run has all of the properties that are asked for; of all else it has one value.
    return Array.isArray(value) ? wanted.every((one) => value.includes(one)) : wanted.includes(value);
  };

  function definition(column) {
    const ordered = column.id === "state"
      ? (a, b) => page.STATE_ORDER.get(a.original.state) - page.STATE_ORDER.get(b.original.state)
      : "basic";
    return {
      id: column.id,
      accessorFn: (run) => (column.id === "properties" ? run.properties : column.value(run) ?? undefined),
      sortingFn: column.id === "properties" ? (a, b) => (column.value(a.original) < column.value(b.original) ? -1 : 1) : ordered,
      sortUndefined: "last",
      sortDescFirst: false,
      filterFn: isOneOf,
      enableGlobalFilter: column.id === "state", // once per run: the search looks at the whole run
      getUniqueValues: column.id === "properties" ? (run) => run.properties : undefined,
    };
  }

  function make(state) {
    const table = TableCore.createTable({
      data: page.model.runs,
      columns: page.columns.map(definition),
      getRowId: (run) => run.prefix,
      state: {},
      onStateChange: (update) => {
        const before = table.options.state;
        const after = typeof update === "function" ? update(before) : update;
        table.setOptions((options) => ({ ...options, state: after }));
        page.changed("view");
      },
      globalFilterFn: (row, _, search) => search.test(row.original),
      getColumnCanGlobalFilter: (column) => column.id === "state",
      getCoreRowModel: TableCore.getCoreRowModel(),
      getFilteredRowModel: TableCore.getFilteredRowModel(),
      getSortedRowModel: TableCore.getSortedRowModel(),
      getPaginationRowModel: TableCore.getPaginationRowModel(),
      getFacetedRowModel: TableCore.getFacetedRowModel(),
      getFacetedUniqueValues: TableCore.getFacetedUniqueValues(),
      autoResetPageIndex: false,
      enableMultiRowSelection: true,
      renderFallbackValue: null,
    });
    table.setOptions((options) => ({ ...options, state: { ...table.initialState, ...state } }));
    return table;
  }

  page.makeTable = (state) => {
    page.columns = page.makeColumns();
    page.table = make(state);
  };

  page.search = (words) => {
    page.table.setPageIndex(0);
    page.table.setGlobalFilter(words.trim() ? { words, test: page.makeSearch(words) } : undefined);
  };

  page.setFacet = (id, wanted) => {
    page.table.setPageIndex(0);
    page.table.getColumn(id).setFilterValue(wanted.length ? wanted : undefined);
  };

  page.filtered = () => page.table.getSortedRowModel().rows.map((row) => row.original);

  // Runs that are gone from the store are chosen no longer.
  page.chosen = () => Object.keys(page.table.getState().rowSelection)
    .map((prefix) => page.model.byPrefix.get(prefix))
    .filter(Boolean);
}
