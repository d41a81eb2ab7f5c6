// A program of Go's own runtime: goroutines on several threads, its poller over epoll and a pipe, timers, files, the
// collector. Says what each part has come to; the same on Linux.
package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

func goroutines() string {
	var wait sync.WaitGroup
	results := make(chan int, 16)
	for i := 0; i < 200; i++ {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			sum := 0
			for k := 0; k < 1000; k++ {
				sum += n * k % 7
				if k%100 == 0 {
					runtime.Gosched()
				}
			}
			results <- sum
		}(i)
	}
	go func() { wait.Wait(); close(results) }()
	total := 0
	for sum := range results {
		total += sum
	}
	return fmt.Sprint(total)
}

// The poller: a reader that waits for a pipe without a thread of its own.
func pipes() string {
	var lines []string
	var lock sync.Mutex
	var wait sync.WaitGroup
	for i := 0; i < 20; i++ {
		reader, writer, err := os.Pipe()
		if err != nil {
			return err.Error()
		}
		wait.Add(2)
		go func() {
			defer wait.Done()
			scanner := bufio.NewScanner(reader)
			for scanner.Scan() {
				lock.Lock()
				lines = append(lines, scanner.Text())
				lock.Unlock()
			}
			reader.Close()
		}()
		go func(n int) {
			defer wait.Done()
			for k := 0; k < 5; k++ {
				time.Sleep(time.Duration(n%4+1) * time.Millisecond)
				fmt.Fprintf(writer, "%02d %d %s\n", n, k, strings.Repeat("x", n*50))
			}
			writer.Close()
		}(i)
	}
	wait.Wait()
	sort.Strings(lines)
	return fmt.Sprintf("%d lines %x", len(lines), sha256.Sum256([]byte(strings.Join(lines, "\n"))))
}

// A read with a deadline on a pipe that nobody writes to.
func deadline() string {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err.Error()
	}
	defer writer.Close()
	defer reader.Close()
	if err := reader.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		return err.Error()
	}
	_, err = reader.Read(make([]byte, 1))
	return fmt.Sprint(os.IsTimeout(err))
}

func timers() string {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	ticks := 0
	after := time.After(10 * time.Second)
	for ticks < 10 {
		select {
		case <-ticker.C:
			ticks++
		case <-after:
			return "late"
		}
	}
	return fmt.Sprint(ticks)
}

func files() string {
	name := fmt.Sprintf("/tmp/go-%d", os.Getpid())
	if err := os.WriteFile(name, []byte(strings.Repeat("line\n", 10000)), 0o644); err != nil {
		return err.Error()
	}
	defer os.Remove(name)
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(len(data))
}

func collector() string {
	var kept [][]byte
	for i := 0; i < 2000; i++ {
		piece := make([]byte, 10000)
		piece[0] = byte(i)
		if i%100 == 0 {
			kept = append(kept, piece)
		}
	}
	runtime.GC()
	return fmt.Sprint(len(kept))
}

func main() {
	status := 0
	for _, part := range []struct {
		name   string
		run    func() string
		wanted string
	}{
		{"goroutines", goroutines, "512910"},
		{"pipes", pipes, "100 lines 183f6f3278737b2ad01bb5bf37ee3674af381aaf2d10825a7d6b4f446a2f0f87"},
		{"deadline", deadline, "true"},
		{"timers", timers, "10"},
		{"files", files, "50000"},
		{"collector", collector, "20"},
	} {
		if got := part.run(); got != part.wanted {
			status = 1
			fmt.Printf("TEST go.%s fail %s\n", part.name, got)
		} else {
			fmt.Printf("TEST go.%s pass\n", part.name)
		}
	}
	os.Exit(status)
}
