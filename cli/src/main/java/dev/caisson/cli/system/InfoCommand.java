package dev.caisson.cli.system;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.text.OutputFormat;
import dev.caisson.launch.HostFacts;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson info`: what this host can give to containers.
@Command(name = "info", description = "Show what this host can give to containers.")
public final class InfoCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text for people, json for programs (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TEXT;

    @Override
    public Integer call() {
        Map<String, String> facts = facts();
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case TEXT -> facts.forEach((name, value) -> out.println("%-18s %s".formatted(name, value)));
            case JSON -> out.println(io.avaje.jsonb.Jsonb.instance().toJson(facts));
        }
        return 0;
    }

    private static Map<String, String> facts() {
        var facts = new LinkedHashMap<String, String>();
        HostFacts host = HostFacts.read(java.util.List.of(), java.util.List.of(), false);
        facts.put("kernel", host.kernel());
        facts.put("architecture", host.architecture());
        facts.put("root", host.effectiveUid() == 0 ? "yes" : "no: containers need root");
        facts.put("capabilities", host.capabilities().toString());
        facts.put("time namespaces", host.timeNamespaces() ? "yes" : "not in this kernel");
        facts.put("landlock", host.landlockAbi() == 0 ? "not in this kernel" : "ABI " + host.landlockAbi());
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            facts.put("control groups", hierarchy.world() + " " + String.join(" ", hierarchy.controllerNames()));
        }
        facts.put("raise hard limits", host.mayExceedLimits() ? "yes" : "no: the engine has no CAP_SYS_RESOURCE");
        facts.put("state", Caller.current().directories().state().toString());
        facts.put("data", Caller.current().directories().data().toString());
        return facts;
    }
}
