{ sum += $1 }
END { exit sum == 5050 ? 0 : 1 }
