package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// children are the processes that this program started, by id. It is the container's first process, so that every
// orphan becomes its child too: all are waited for in one place.
type children struct {
	mu      sync.Mutex
	waiting map[int]chan int
}

var kids children

// start runs a program in a session of its own; its exit code comes on the channel.
func (c *children) start(args []string, files ...*os.File) (int, <-chan int, error) {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return 0, nil, err
	}
	attributes := &os.ProcAttr{Env: os.Environ(), Files: files, Sys: &syscall.SysProcAttr{Setsid: true}}
	exited := make(chan int, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	child, err := os.StartProcess(path, args, attributes)
	if err != nil {
		return 0, nil, err
	}
	if c.waiting == nil {
		c.waiting = map[int]chan int{}
		go c.reap()
	}
	c.waiting[child.Pid] = exited
	return child.Pid, exited, nil
}

func (c *children) reap() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		c.mu.Lock()
		if err != nil && len(c.waiting) == 0 {
			c.waiting = nil // none is left; the next one is waited for anew
			c.mu.Unlock()
			return
		}
		if exited, ours := c.waiting[pid]; ours {
			delete(c.waiting, pid)
			exited <- exitCode(ws)
		}
		c.mu.Unlock()
	}
}

func exitCode(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// passOn gives the signals that this process gets to a child and all that it started.
func passOn(pid int) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	for s := range signals {
		syscall.Kill(-pid, s.(syscall.Signal))
	}
}

// run runs a program to its end; nil when it ended with 0 in time (0: without limit).
func (c *children) run(args []string, limit time.Duration) *failure {
	out, outText := capture()
	errOut, errText := capture()
	pid, exited, err := c.start(args, nil, out, errOut)
	out.Close()
	errOut.Close()
	if err != nil {
		return &failure{Command: args, Code: startFailure(err), Stderr: err.Error()}
	}
	if limit > 0 {
		timer := time.AfterFunc(limit, func() { syscall.Kill(-pid, syscall.SIGKILL) })
		defer timer.Stop()
	}
	if code := <-exited; code != 0 {
		return &failure{Command: args, Code: code, Stdout: outText(), Stderr: errText()}
	}
	return nil
}

// capture gives a pipe to write to, and a function that returns what was written, soon after the writer has ended.
func capture() (*os.File, func() string) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, func() string { return err.Error() }
	}
	text := make(chan string, 1)
	go func() {
		defer r.Close()
		data, _ := io.ReadAll(io.LimitReader(r, 100<<10))
		text <- string(data)
	}()
	return w, func() string {
		r.SetReadDeadline(time.Now().Add(quiet))
		return <-text
	}
}

// startFailure is what a shell answers: 127 for a command that is not there, 126 for one that does not start.
func startFailure(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}
