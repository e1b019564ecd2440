// The exec shim runs inside every container that drydock starts: it keeps what the command prints and its exit code,
// so that both can be asked for when the exec itself was cached, and hides secrets in what it prints.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A command that ended may leave children that hold its output open; what comes later than this after the last
// byte is not waited for.
const quiet = 200 * time.Millisecond

const poll = 50 * time.Millisecond

type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

type options struct {
	out, stdin, stdout, stderr, expect, service string
	ready                                       list
	secretEnv, secretFile                       list
}

func main() {
	var o options
	flag.StringVar(&o.out, "out", "", "folder that holds the files stdout, stderr, combined and exitCode")
	flag.StringVar(&o.stdin, "stdin", "", "file to read standard input from")
	flag.StringVar(&o.stdout, "stdout", "", "file that gets a copy of standard output")
	flag.StringVar(&o.stderr, "stderr", "", "file that gets a copy of standard error")
	flag.StringVar(&o.expect, "expect", "success", "exit codes that count as done: success, failure or any")
	flag.StringVar(&o.service, "service", "", "announce the container's address under this key, once it is ready")
	flag.Var(&o.ready, "ready", "TCP port that the service has to listen on to be ready")
	flag.Var(&o.secretEnv, "secret-env", "variable whose value is hidden in the output")
	flag.Var(&o.secretFile, "secret-file", "file whose content is hidden in the output")
	flag.Parse()
	code, err := run(o, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "drydock:", err)
		code = startFailure(err)
	}
	if o.service == "" {
		if err := os.WriteFile(filepath.Join(o.out, "exitCode"), []byte(strconv.Itoa(code)), 0o666); err != nil {
			fmt.Fprintln(os.Stderr, "drydock: keep exit code:", err)
			os.Exit(255)
		}
	}
	os.Exit(status(o.expect, code))
}

// status is 0 for an exit code that is expected. A signal's (128 to 191) never is.
func status(expect string, code int) int {
	signalled := code >= 128 && code <= 191
	switch {
	case expect == "any" && !signalled, expect == "failure" && code != 0 && !signalled:
		return 0
	case expect == "failure" && code == 0:
		return 1
	}
	return code
}

// startFailure is what a shell answers: 127 for a command that is not there, 126 for one that does not start.
func startFailure(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}

func run(o options, args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("no command")
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return 0, err
	}
	stdin, err := os.Open(orNull(o.stdin))
	if err != nil {
		return 0, fmt.Errorf("open redirect stdin file: %w", err)
	}
	keep, err := openOutputs(o)
	if err != nil {
		return 0, err
	}
	hidden := secrets(o)
	out, outDone, err := tee(hidden, append(keep.stdout, os.Stdout)...)
	if err != nil {
		return 0, err
	}
	errOut, errDone, err := tee(hidden, append(keep.stderr, os.Stderr)...)
	if err != nil {
		return 0, err
	}
	if o.service != "" {
		go announce(o.service, o.ready)
	}
	child, err := os.StartProcess(path, args, &os.ProcAttr{Env: os.Environ(), Files: []*os.File{stdin, out, errOut}})
	if err != nil {
		return 0, err
	}
	out.Close()
	errOut.Close()
	code := reap(child.Pid)
	outDone()
	errDone()
	return code, nil
}

func orNull(path string) string {
	if path == "" {
		return os.DevNull
	}
	return path
}

type outputs struct{ stdout, stderr []io.Writer }

func openOutputs(o options) (outputs, error) {
	var keep outputs
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

// tee gives a pipe to write to, and a function that waits until all that was written has reached every writer.
func tee(hidden []string, to ...io.Writer) (*os.File, func(), error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	clean := &scrubber{to: io.MultiWriter(to...), hidden: hidden}
	ended := make(chan struct{})
	exited := make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 64<<10)
		for {
			select {
			case <-exited:
				r.SetReadDeadline(time.Now().Add(quiet))
			default:
			}
			n, err := r.Read(buffer)
			clean.Write(buffer[:n])
			if err != nil && !(errors.Is(err, os.ErrDeadlineExceeded) && n > 0) {
				clean.flush()
				return
			}
		}
	}()
	return w, func() {
		close(exited)
		r.SetReadDeadline(time.Now().Add(quiet))
		<-ended
	}, nil
}

// reap is what a first process owes its container: it passes signals on, and collects every child that ends.
func reap(pid int) int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range signals {
			syscall.Kill(pid, s.(syscall.Signal))
		}
	}()
	for {
		var ws syscall.WaitStatus
		got, err := syscall.Wait4(-1, &ws, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 255
		}
		if got != pid {
			continue
		}
		if ws.Signaled() {
			return 128 + int(ws.Signal())
		}
		return ws.ExitStatus()
	}
}

// announce tells the container's address when every port takes connections. It is asked from in here, by the
// address that others use: a service that listens on loopback alone is not ready for them.
func announce(key string, ports []string) {
	host := address()
	for _, port := range ports {
		for {
			connection, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), time.Second)
			if err == nil {
				connection.Close()
				break
			}
			time.Sleep(poll)
		}
	}
	fmt.Fprintf(os.Stderr, "drydock-service %s %s\n", key, host)
}

func address() string {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	return "127.0.0.1"
}

func secrets(o options) []string {
	var found []string
	add := func(value string) {
		for _, v := range []string{value, strings.TrimSpace(value)} {
			if v != "" {
				found = append(found, v)
			}
		}
	}
	for _, name := range o.secretEnv {
		add(os.Getenv(name))
	}
	for _, path := range o.secretFile {
		if data, err := os.ReadFile(path); err == nil {
			add(string(data))
		}
	}
	return found
}
