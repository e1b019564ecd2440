package main

import (
	"io"
	"sort"
	"strings"
)

const mask = "***"

// scrubber writes on what it gets with every secret replaced, also one that comes in pieces. Where several secrets
// begin at one place, the longest counts.
type scrubber struct {
	to      io.Writer
	hidden  []string // longest first
	begins  [256]bool
	pending string
}

func newScrubber(to io.Writer, hidden []string) *scrubber {
	s := &scrubber{to: to}
	for _, secret := range hidden {
		if secret != "" {
			s.hidden = append(s.hidden, secret)
			s.begins[secret[0]] = true
		}
	}
	sort.SliceStable(s.hidden, func(i, j int) bool { return len(s.hidden[i]) > len(s.hidden[j]) })
	return s
}

func (s *scrubber) Write(p []byte) (int, error) {
	if len(s.hidden) == 0 {
		return s.to.Write(p)
	}
	s.pending += string(p)
	return len(p), s.scan(false)
}

func (s *scrubber) flush() error { return s.scan(true) }

// scan writes on what is pending, up to where a secret may have begun that is not all there yet.
func (s *scrubber) scan(ended bool) error {
	var clean strings.Builder
	at, done := 0, 0
	for at < len(s.pending) {
		if !s.begins[s.pending[at]] {
			at++
			continue
		}
		length, wait := s.match(s.pending[at:])
		if wait && !ended {
			break
		}
		if length == 0 {
			at++
			continue
		}
		clean.WriteString(s.pending[done:at])
		clean.WriteString(mask)
		at += length
		done = at
	}
	clean.WriteString(s.pending[done:at])
	s.pending = s.pending[at:]
	_, err := io.WriteString(s.to, clean.String())
	return err
}

// match gives the length of the longest secret that a text begins with, and whether a longer one may still come.
func (s *scrubber) match(text string) (int, bool) {
	for _, secret := range s.hidden {
		if strings.HasPrefix(text, secret) {
			return len(secret), false
		}
		if len(text) < len(secret) && strings.HasPrefix(secret, text) {
			return s.longest(text), true
		}
	}
	return 0, false
}

func (s *scrubber) longest(text string) int {
	for _, secret := range s.hidden {
		if strings.HasPrefix(text, secret) {
			return len(secret)
		}
	}
	return 0
}
