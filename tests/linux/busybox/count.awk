{ seen[$1]++ }
END { n = 0; for (w in seen) n++; exit n == 20 && length(seen) == 20 ? 0 : 1 }
