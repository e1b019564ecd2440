package main

import (
	"strings"
	"testing"
)

// A secret is hidden however the output is cut into pieces, and of several the longest.
func TestSecretIsHiddenAcrossPieces(t *testing.T) {
	const text = "a s3cret-value b s3cret-val c s3cret-value\nline 2 d s3cret e line 2"
	hidden := []string{"s3cret", "s3cret-value", "", "s3cret-value\nline 2"}
	for size := 1; size <= len(text); size++ {
		var got strings.Builder
		s := newScrubber(&got, hidden)
		for i := 0; i < len(text); i += size {
			s.Write([]byte(text[i:min(i+size, len(text))]))
		}
		s.flush()
		if want := "a *** b ***-val c *** d *** e line 2"; got.String() != want {
			t.Fatalf("pieces of %d bytes: got %q, want %q", size, got.String(), want)
		}
	}
}
