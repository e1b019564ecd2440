package main

import (
	"strings"
	"testing"
)

// A secret is hidden however the output is cut into pieces.
func TestSecretIsHiddenAcrossPieces(t *testing.T) {
	const text = "a s3cret-value b s3cret-val c s3cret-value"
	for size := 1; size <= len(text); size++ {
		var got strings.Builder
		s := &scrubber{to: &got, hidden: []string{"s3cret-value"}}
		for i := 0; i < len(text); i += size {
			s.Write([]byte(text[i:min(i+size, len(text))]))
		}
		s.flush()
		if want := "a *** b s3cret-val c ***"; got.String() != want {
			t.Fatalf("pieces of %d bytes: got %q, want %q", size, got.String(), want)
		}
	}
}

// Exit codes count as done as the Dagger engine counts them: a signal's never.
func TestExpectedExitCodes(t *testing.T) {
	for _, c := range []struct {
		expect     string
		code, want int
	}{
		{"success", 0, 0}, {"success", 3, 3}, {"any", 3, 0}, {"any", 137, 137},
		{"failure", 3, 0}, {"failure", 0, 1}, {"failure", 143, 143}, {"any", 255, 0},
	} {
		if got := status(c.expect, c.code); got != c.want {
			t.Errorf("expect %s, exit code %d: got %d, want %d", c.expect, c.code, got, c.want)
		}
	}
}
