package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// hello is the first line of every connection to the session.
type hello struct {
	Bind    map[string]string `json:"bind,omitempty"`
	Service string            `json:"service,omitempty"`
	Stream  string            `json:"stream,omitempty"`
	Forward int               `json:"forward,omitempty"`
}

// report is what a service tells of itself.
type report struct {
	Ready     string   `json:"ready,omitempty"`
	Unhealthy *failure `json:"unhealthy,omitempty"`
}

type failure struct {
	Command []string `json:"command"`
	Code    int      `json:"code"`
	Stdout  string   `json:"stdout"`
	Stderr  string   `json:"stderr"`
}

// order is what the session answers, and what it wants later on.
type order struct {
	Hosts   string         `json:"hosts"`
	Refused string         `json:"refused"`
	Signal  syscall.Signal `json:"signal"`
	Stream  string         `json:"stream"`
	Port    int            `json:"port"`
}

// link is the connection on which an exec hears of the services that it is bound to, and a service tells of itself.
type link struct {
	socket string
	in     *json.Decoder
	mu     sync.Mutex
	out    *json.Encoder
}

func dial(socket string, first hello) (net.Conn, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("reach the session: %w", err)
	}
	return conn, json.NewEncoder(conn).Encode(first)
}

// open asks for the services that an exec is bound to, waits until they are ready, and makes them known by name.
func open(o options) (*link, error) {
	services := map[string]string{}
	for _, pair := range o.bind {
		alias, key, _ := strings.Cut(pair, "=")
		services[alias] = key
	}
	conn, err := dial(o.link, hello{Bind: services, Service: o.service})
	if err != nil {
		return nil, err
	}
	l := &link{socket: o.link, in: json.NewDecoder(conn), out: json.NewEncoder(conn)}
	var first order
	if err := l.in.Decode(&first); err != nil {
		return nil, fmt.Errorf("wait for services: %w", err)
	}
	if first.Refused != "" {
		return nil, errors.New(first.Refused)
	}
	if o.hosts == "" {
		return l, nil
	}
	return l, writeHosts(o.hosts, first.Hosts)
}

func (l *link) tell(r report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out.Encode(r)
}

// obey does what the session wants until it hangs up.
func (l *link) obey(signal func(syscall.Signal)) {
	for {
		var o order
		if l.in.Decode(&o) != nil {
			return
		}
		if o.Signal != 0 {
			signal(o.Signal)
		}
		if o.Stream != "" {
			go l.serveStream(o.Stream, o.Port)
		}
	}
}

// serveStream connects one connection of the session to a port of this container.
func (l *link) serveStream(name string, port int) {
	wire, err := dial(l.socket, hello{Stream: name})
	if err != nil {
		return
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(address(), fmt.Sprint(port)), 10*time.Second)
	if err != nil {
		wire.Close()
		return
	}
	pipe(conn.(*net.TCPConn), wire)
}

// writeHosts fills the hosts file, which is mounted empty: what every container has, then the services.
func writeHosts(file, services string) error {
	name, _ := os.Hostname()
	text := fmt.Sprintf("127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n%s", name, services)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		return os.Chmod(file, 0o644)
	}
	return nil
}
