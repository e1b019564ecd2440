package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A command that ended may leave children that hold its output open: what comes later than `quiet` after the last byte
// is not waited for, and nothing at all is longer than `linger`.
const (
	quiet  = 200 * time.Millisecond
	linger = 2 * time.Second
)

type outputs struct{ stdout, stderr []io.Writer }

// openOutputs opens the files that keep what the command prints. A service's is not kept.
func openOutputs(o options) (outputs, error) {
	keep := outputs{stdout: []io.Writer{os.Stdout}, stderr: []io.Writer{os.Stderr}}
	if o.service == "" {
		combined, err := create(filepath.Join(o.out, "combined"))
		if err != nil {
			return keep, err
		}
		both := &locked{w: combined}
		keep.stdout, keep.stderr = append(keep.stdout, both), append(keep.stderr, both)
	}
	for _, f := range []struct {
		path, what string
		to         *[]io.Writer
		skip       bool
	}{
		{filepath.Join(o.out, "stdout"), "keep stdout", &keep.stdout, o.service != ""},
		{filepath.Join(o.out, "stderr"), "keep stderr", &keep.stderr, o.service != ""},
		{o.stdout, "open redirect stdout file", &keep.stdout, o.stdout == ""},
		{o.stderr, "open redirect stderr file", &keep.stderr, o.stderr == ""},
	} {
		if f.skip {
			continue
		}
		file, err := create(f.path)
		if err != nil {
			return keep, fmt.Errorf("%s: %w", f.what, err)
		}
		*f.to = append(*f.to, file)
	}
	return keep, nil
}

func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
}

// locked serves two streams that write to one file.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// tee gives a pipe to write to, and a function that waits until what was written has reached every writer.
func tee(hidden []string, to ...io.Writer) (*os.File, func(), error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	clean := newScrubber(io.MultiWriter(to...), hidden)
	ended := make(chan struct{})
	exited := make(chan time.Time, 1)
	go func() {
		defer close(ended)
		defer clean.flush()
		copyUntil(clean, r, exited)
	}()
	return w, func() {
		exited <- time.Now()
		r.SetReadDeadline(time.Now().Add(quiet))
		<-ended
	}, nil
}

// copyUntil copies until the pipe's end or, once the command has exited, until nothing more comes.
func copyUntil(to io.Writer, r *os.File, exited <-chan time.Time) {
	buffer := make([]byte, 64<<10)
	var last time.Time
	for {
		n, err := r.Read(buffer)
		to.Write(buffer[:n])
		select {
		case at := <-exited:
			last = at.Add(linger)
		default:
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if last.IsZero() {
			continue
		}
		if err != nil || time.Now().After(last) {
			return
		}
		r.SetReadDeadline(time.Now().Add(quiet))
	}
}
