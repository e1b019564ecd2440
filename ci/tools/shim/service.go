package main

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

const poll = 50 * time.Millisecond

// announce tells the session when a service is ready: by its health check where its image has one, else when every
// port takes connections. They are asked from in here, by the address that others use: a service that listens on
// loopback alone is not ready for them.
func announce(session *link, o options) {
	if o.health != "" {
		if failed := healthy(o.health); failed != nil {
			for _, text := range []*string{&failed.Stdout, &failed.Stderr} {
				*text = scrubbed(*text, secrets(o))
			}
			session.tell(report{Unhealthy: failed})
			return
		}
	} else {
		awaitPorts(o.ready)
	}
	session.tell(report{Ready: address()})
}

func awaitPorts(ports []string) {
	for _, port := range ports {
		for {
			conn, err := net.DialTimeout("tcp", net.JoinHostPort(address(), port), time.Second)
			if err == nil {
				conn.Close()
				break
			}
			time.Sleep(poll)
		}
	}
}

// healthcheck is an image's own (Docker's `Healthcheck`); times are in nanoseconds.
type healthcheck struct {
	Test                                          []string
	Interval, Timeout, StartPeriod, StartInterval time.Duration
	Retries                                       int
	Shell                                         []string
}

func (h healthcheck) command() []string {
	if h.Test[0] != "CMD-SHELL" {
		return h.Test[1:]
	}
	shell := h.Shell
	if len(shell) == 0 {
		shell = []string{"/bin/sh", "-c"}
	}
	return append(append([]string{}, shell...), h.Test[1:]...)
}

// healthy runs a health check until it passes, and gives its last failure when it has failed too often. Intervals and
// retries count as on the Dagger engine (v0.21, core/healthcheck.go).
func healthy(config string) *failure {
	var check healthcheck
	if err := json.Unmarshal([]byte(config), &check); err != nil {
		return &failure{Command: []string{}, Code: 255, Stderr: err.Error()}
	}
	pause := 5 * time.Second
	for _, wanted := range []time.Duration{check.Interval, check.StartInterval} {
		if wanted > 0 {
			pause = wanted
		}
	}
	left := check.Retries
	if left <= 0 {
		left = 3
	}
	grace := time.Now().Add(check.StartPeriod)
	for {
		failed := kids.run(check.command(), check.Timeout)
		if failed == nil {
			return nil
		}
		if time.Now().After(grace) {
			left--
		}
		if left == 0 {
			return failed
		}
		time.Sleep(pause)
	}
}

// forward gives ports of the session's machine to this container's network, until it is told to stop.
func forward(session *link, o options) (int, error) {
	for _, port := range o.forward {
		listener, err := net.Listen("tcp", ":"+port)
		if err != nil {
			return 0, fmt.Errorf("listen on port %s: %w", port, err)
		}
		go accept(o, listener)
	}
	stop := make(chan syscall.Signal, 1)
	go session.obey(func(s syscall.Signal) { stop <- s })
	session.tell(report{Ready: address()})
	<-stop
	return 0, nil
}

func accept(o options, listener net.Listener) {
	port := listener.Addr().(*net.TCPAddr).Port
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			wire, err := dial(o.link, hello{Service: o.service, Forward: port})
			if err != nil {
				conn.Close()
				return
			}
			pipe(conn.(*net.TCPConn), wire)
		}()
	}
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

func scrubbed(text string, hidden []string) string {
	var clean strings.Builder
	s := newScrubber(&clean, hidden)
	s.Write([]byte(text))
	s.flush()
	return clean.String()
}
