package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
)

// On the way through BuildKit the end of what the session sends is not told to this side: so each piece goes with its
// length in front. One of length 0 is the end; `aborted` says that the other side is gone.
const aborted = 1<<32 - 1

// pipe copies between a connection and a stream of the session until both directions have ended.
func pipe(conn *net.TCPConn, wire net.Conn) {
	defer conn.Close()
	defer wire.Close()
	var both sync.WaitGroup
	both.Go(func() {
		if toWire(wire, conn) != nil {
			wire.Close()
		}
	})
	both.Go(func() {
		if fromWire(conn, wire) != nil {
			conn.Close()
		}
	})
	both.Wait()
}

func toWire(wire io.Writer, from io.Reader) error {
	buffer := make([]byte, 4+32<<10)
	for {
		n, err := from.Read(buffer[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buffer, uint32(n))
			if _, err := wire.Write(buffer[:4+n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			_, err := wire.Write(make([]byte, 4))
			return err
		}
		if err != nil {
			return err
		}
	}
}

func fromWire(conn *net.TCPConn, wire io.Reader) error {
	var size uint32
	for {
		if err := binary.Read(wire, binary.BigEndian, &size); err != nil {
			return err
		}
		if size == aborted {
			return io.ErrUnexpectedEOF
		}
		if size == 0 {
			return conn.CloseWrite()
		}
		if _, err := io.CopyN(conn, wire, int64(size)); err != nil {
			return err
		}
	}
}
