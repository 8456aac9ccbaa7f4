// Command health says what Argo CD and Flux make of objects: Argo CD by running its Lua scripts in the interpreter that it
// uses, with the libraries that it gives to scripts of its ConfigMap; Flux (and Helm 4) by its own library, kstatus.
//
// `health judge SCRIPTS` reads a JSON array of objects and writes one verdict for each. `health act SCRIPTS ACTION` reads
// one object and writes it as the action leaves it. SCRIPTS is a directory in the layout of Argo CD's
// `resource_customizations`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
)

// A script that takes longer than this is given up by Argo CD.
const patience = time.Second

type said struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type verdict struct {
	Argo    said            `json:"argo"`
	Flux    said            `json:"flux"`
	Actions json.RawMessage `json:"actions"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	var answer any
	switch {
	case len(args) == 2 && args[0] == "judge":
		var objects []json.RawMessage
		if err := json.NewDecoder(in).Decode(&objects); err != nil {
			return err
		}
		verdicts := make([]verdict, 0, len(objects))
		for _, object := range objects {
			verdict, err := judge(args[1], object)
			if err != nil {
				return err
			}
			verdicts = append(verdicts, verdict)
		}
		answer = verdicts
	case len(args) == 3 && args[0] == "act":
		var object json.RawMessage
		if err := json.NewDecoder(in).Decode(&object); err != nil {
			return err
		}
		script := filepath.Join("actions", args[2], "action.lua")
		changed, err := runScript(args[1], script, object)
		if err != nil {
			return err
		}
		answer = changed
	default:
		return fmt.Errorf("usage: health judge SCRIPTS | health act SCRIPTS ACTION")
	}
	return json.NewEncoder(out).Encode(answer)
}

func judge(scripts string, raw json.RawMessage) (verdict, error) {
	var verdict verdict
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return verdict, err
	}
	flux, err := status.Compute(object)
	if err != nil {
		return verdict, err
	}
	verdict.Flux = said{Status: flux.Status.String(), Message: flux.Message}
	if verdict.Actions, err = runScript(scripts, "actions/discovery.lua", raw); err != nil {
		return verdict, err
	}
	// Argo CD asks no script about an object that is going.
	if object.GetDeletionTimestamp() != nil {
		verdict.Argo = said{Status: "Progressing", Message: "Pending deletion"}
		return verdict, nil
	}
	health, err := runScript(scripts, "health.lua", raw)
	if err != nil {
		return verdict, err
	}
	if err := json.Unmarshal(health, &verdict.Argo); err != nil {
		return verdict, err
	}
	switch verdict.Argo.Status {
	case "Unknown", "Progressing", "Suspended", "Healthy", "Degraded", "Missing":
		return verdict, nil
	}
	return verdict, fmt.Errorf("Argo CD knows no health %q", verdict.Argo.Status)
}

// runScript runs a script of the object's kind and returns the table that it returns, as JSON.
func runScript(scripts, name string, raw json.RawMessage) (json.RawMessage, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	gvk := object.GroupVersionKind()
	path := filepath.Join(scripts, gvk.Group, gvk.Kind, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage,
		lua.BaseLibName: lua.OpenBase,
		lua.TabLibName:  lua.OpenTable,
	} {
		call := lua.P{Fn: state.NewFunction(open), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return nil, err
		}
	}
	// Of the library of the system, a script gets the clock.
	state.PreloadModule(lua.OsLibName, func(state *lua.LState) int {
		whole := lua.NewState()
		defer whole.Close()
		clock := state.NewTable()
		for _, name := range []string{"date", "time"} {
			function := whole.GetField(whole.GetGlobal(lua.OsLibName), name).(*lua.LFunction)
			clock.RawSetString(name, state.NewFunction(function.GFunction))
		}
		state.Push(clock)
		return 1
	})
	limit, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	state.SetContext(limit)
	value, err := luajson.Decode(state, raw)
	if err != nil {
		return nil, err
	}
	state.SetGlobal("obj", value)
	if err := state.DoString(string(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	returned := state.Get(-1)
	if returned.Type() != lua.LTTable {
		return nil, fmt.Errorf("%s returns a %s, and no table", path, returned.Type())
	}
	return luajson.Encode(returned)
}
