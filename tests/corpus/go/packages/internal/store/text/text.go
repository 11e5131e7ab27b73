package text

import "strings"

// Trim takes blanks away.
func Trim(line string) string { return strings.TrimSpace(line) }
