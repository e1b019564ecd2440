package main

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

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

// A command that leaves a child behind which prints for ever ends all the same.
func TestWhatACommandLeavesBehindIsNotWaitedFor(t *testing.T) {
	out := t.TempDir()
	began := time.Now()
	script := "(while :; do echo more; sleep 0.05; done) & echo $! >" + out + "/pid; echo done"
	code, err := run(options{out: out}, []string{"sh", "-c", script})
	if code != 0 || err != nil || time.Since(began) > 2*linger {
		t.Fatalf("exit code %d, %v, after %v", code, err, time.Since(began))
	}
	if text, _ := os.ReadFile(out + "/stdout"); !strings.Contains(string(text), "done\n") {
		t.Fatalf("kept %q", text)
	}
	pid, _ := os.ReadFile(out + "/pid")
	kids.run([]string{"sh", "-c", "kill " + string(pid)}, time.Second)
}

// A health check passes once its command does, within its retries; its last failure is told.
func TestHealthCheckCountsItsFailures(t *testing.T) {
	passes := t.TempDir() + "/second"
	config := `{"Test": ["CMD-SHELL", "test -e ` + passes + ` || { touch ` + passes + `; exit 1; }"], "Interval": 1000000, "Retries": 2}`
	if failed := healthy(config); failed != nil {
		t.Fatalf("did not pass: %+v", failed)
	}
	failed := healthy(`{"Test": ["CMD", "sh", "-c", "echo no >&2; exit 42"], "Interval": 1000000}`)
	if failed == nil || failed.Code != 42 || failed.Stderr != "no\n" {
		t.Fatalf("got %+v", failed)
	}
}

// Each direction of a stream ends on its own, and carries every byte.
func TestStreamEndsInEachDirection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		server, _ := listener.Accept()
		near, far := net.Pipe()
		go pipe(server.(*net.TCPConn), near)
		// The far end answers what it gets: frames in, frames out.
		echo := make([]byte, 64<<10)
		for {
			n, err := far.Read(echo)
			if err != nil {
				return
			}
			far.Write(echo[:n])
		}
	}()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	sent := strings.Repeat("0123456789", 20_000)
	go func() {
		client.Write([]byte(sent))
		client.(*net.TCPConn).CloseWrite()
	}()
	client.SetDeadline(time.Now().Add(5 * time.Second))
	var got strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := client.Read(buffer)
		got.Write(buffer[:n])
		if err != nil {
			break
		}
	}
	if got.String() != sent {
		t.Fatalf("sent %d bytes, got %d back", len(sent), got.Len())
	}
}
