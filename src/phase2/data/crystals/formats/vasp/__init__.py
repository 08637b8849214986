"""POSCAR and CONTCAR: the structure files of VASP, with the meaning that VASP gives them."""
