package dev.caisson.cli.system;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.text.JsonText;
import dev.caisson.launch.HostFacts;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
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
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            defaultValue = "text",
            description =
                    "text for people, json for programs, or a template: '{{.ServerVersion}}' (default: ${DEFAULT-VALUE}).")
    private String format = "text";

    @Override
    public Integer call() {
        HostFacts host = HostFacts.read(List.of(), List.of(), false);
        Map<String, String> facts = facts(host);
        PrintWriter out = spec.commandLine().getOut();
        if (format.equals("text") || format.isEmpty()) {
            facts.forEach((name, value) -> out.println(String.format(Locale.ROOT, "%-18s %s", name, value)));
            return 0;
        }
        var fields = new LinkedHashMap<String, Object>(facts);
        fields.putAll(InfoFields.of(host, Caller.current().directories()));
        out.println(
                format.equals("json")
                        ? JsonText.of(fields)
                        : Template.parse(format).render(fields));
        return 0;
    }

    private static Map<String, String> facts(HostFacts host) {
        var facts = new LinkedHashMap<String, String>();
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
