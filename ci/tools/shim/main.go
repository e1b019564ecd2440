// The exec shim runs inside every container that drydock starts: it keeps what the command prints and its exit code,
// so that both can be asked for when the exec itself was cached, hides secrets in what it prints, and speaks with the
// session about services.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

type options struct {
	out, stdin, stdout, stderr, expect string
	secretEnv, secretFile              list
	link, hosts, service, health       string
	bind, ready, forward               list
}

func main() {
	var o options
	flag.StringVar(&o.out, "out", "", "folder that holds the files stdout, stderr, combined and exitCode")
	flag.StringVar(&o.stdin, "stdin", "", "file to read standard input from")
	flag.StringVar(&o.stdout, "stdout", "", "file that gets a copy of standard output")
	flag.StringVar(&o.stderr, "stderr", "", "file that gets a copy of standard error")
	flag.StringVar(&o.expect, "expect", "success", "exit codes that count as done: success, failure or any")
	flag.Var(&o.secretEnv, "secret-env", "variable whose value is hidden in the output")
	flag.Var(&o.secretFile, "secret-file", "file whose content is hidden in the output")
	flag.StringVar(&o.link, "link", "", "socket of the session, for an exec that uses services or is one")
	flag.Var(&o.bind, "bind", "ALIAS=KEY: service to wait for, and to make known under a name")
	flag.StringVar(&o.hosts, "hosts", "", "hosts file in which the services become known")
	flag.StringVar(&o.service, "service", "", "run as a service, under this key")
	flag.Var(&o.ready, "ready", "TCP port that the service has to listen on to be ready")
	flag.StringVar(&o.health, "health", "", "the service's health check, as in an image's config (JSON)")
	flag.Var(&o.forward, "forward", "instead of a command: TCP port to forward to the session's machine")
	flag.Parse()
	code, err := run(o, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "drydock:", err)
		code = startFailure(err)
	}
	if errors.As(err, new(notServed)) {
		os.Exit(code) // the command was not even tried: whatever was expected of it
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

// notServed says that the services of an exec are not there.
type notServed struct{ error }

func run(o options, args []string) (int, error) {
	var session *link
	if o.link != "" {
		var err error
		if session, err = open(o); err != nil {
			return 0, notServed{err}
		}
	}
	if len(o.forward) > 0 {
		return forward(session, o)
	}
	if len(args) == 0 {
		return 0, errors.New("no command")
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
	out, outDone, err := tee(hidden, keep.stdout...)
	if err != nil {
		return 0, err
	}
	errOut, errDone, err := tee(hidden, keep.stderr...)
	if err != nil {
		return 0, err
	}
	pid, exited, err := kids.start(args, stdin, out, errOut)
	if err != nil {
		return 0, err
	}
	out.Close()
	errOut.Close()
	go passOn(pid)
	if session != nil {
		go session.obey(func(s syscall.Signal) { syscall.Kill(-pid, s) })
	}
	if o.service != "" {
		go announce(session, o)
	}
	code := <-exited
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

// secrets are the texts to hide: values of variables and contents of files, each also without the space around it.
func secrets(o options) []string {
	var found []string
	add := func(value string) {
		found = append(found, value, strings.TrimSpace(value))
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
