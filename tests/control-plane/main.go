// Command control-plane is a Kubernetes control plane and kubectl in one binary.
//
// It is whichever of etcd, kube-apiserver, kube-controller-manager and kubectl it is called as, through a link of that
// name; `control-plane NAME ARGS...` does the same without a link. The four share most of their code, so that one
// binary costs one link step and a third of the space of four. `cargo xtask control-plane` builds and starts it.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // so that kubectl can use any cluster of a kubeconfig
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// followStdin names the variable that makes a server end with whoever started it: that one holds the other end of
// standard input, which closes however it ends, SIGKILL included. A test run that is killed leaves no server behind.
const followStdin = "CONTROL_PLANE_FOLLOW_STDIN"

// programs holds what this binary can be. Each runs with os.Args as its own and returns its exit code.
var programs = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kubectl":                 runKubectl,
}

func main() {
	if os.Getenv(followStdin) != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
	}
	if run, ok := programs[filepath.Base(os.Args[0])]; ok {
		os.Exit(run())
	}
	if len(os.Args) > 1 {
		if run, ok := programs[os.Args[1]]; ok {
			os.Args = os.Args[1:]
			os.Exit(run())
		}
	}
	fmt.Fprintf(os.Stderr, "usage: %s PROGRAM [ARGS...], or a link named PROGRAM to it; PROGRAM is one of %s\n",
		filepath.Base(os.Args[0]), strings.Join(names(), ", "))
	os.Exit(2)
}

func runEtcd() int {
	etcdmain.Main(os.Args) // exits by itself on failure
	return 0
}

func runKubectl() int {
	// kubectl's own main reads -v before it parses the other flags, so that their parsing can be logged.
	if _, err := logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err) // words the error as kubectl does, and exits with its code
	}
	return 0
}

func names() []string {
	all := make([]string, 0, len(programs))
	for name := range programs {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}
