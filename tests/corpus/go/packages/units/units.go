package units

// Cents counts.
func Cents(whole int) int { return scale(whole) }

func scale(n int) int { return n * 100 }
