package bench

import (
	"io"
	"os"
	"testing"

	"github.com/databricks/cli/libs/testserver"
)

// Serves until standard input is closed, at the address that it writes to the file ADDRESS.
func TestServe(t *testing.T) {
	server := testserver.New(t)
	testserver.AddDefaultHandlers(server)
	if err := os.WriteFile(os.Getenv("ADDRESS"), []byte(server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
