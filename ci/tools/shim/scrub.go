package main

import (
	"io"
	"strings"
)

const mask = "***"

// scrubber writes on what it gets with every secret replaced, also one that comes in pieces.
type scrubber struct {
	to      io.Writer
	hidden  []string
	pending string
}

func (s *scrubber) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(s.hidden) == 0 {
		return s.to.Write(p)
	}
	s.pending += string(p)
	s.replace()
	keep := s.beginning()
	_, err := io.WriteString(s.to, s.pending[:len(s.pending)-keep])
	s.pending = s.pending[len(s.pending)-keep:]
	return len(p), err
}

func (s *scrubber) flush() {
	io.WriteString(s.to, s.pending)
	s.pending = ""
}

func (s *scrubber) replace() {
	for _, secret := range s.hidden {
		s.pending = strings.ReplaceAll(s.pending, secret, mask)
	}
}

// beginning is the length of the longest end of what is pending that a secret may begin with.
func (s *scrubber) beginning() int {
	longest := 0
	for _, secret := range s.hidden {
		for n := min(len(secret)-1, len(s.pending)); n > longest; n-- {
			if strings.HasSuffix(s.pending, secret[:n]) {
				longest = n
			}
		}
	}
	return longest
}
