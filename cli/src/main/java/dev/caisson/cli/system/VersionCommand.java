package dev.caisson.cli.system;

import dev.caisson.cli.template.Template;
import dev.caisson.cli.text.JsonText;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson version`: this build, the JDK and the kernel under it.
@Command(name = "version", description = "Show the version of Caisson, of the JDK and of the kernel.")
public final class VersionCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            defaultValue = "text",
            description =
                    "text for people, json for programs, or a template: '{{.Server.Version}}' (default: ${DEFAULT-VALUE}).")
    private String format = "text";

    @Override
    public Integer call() {
        Version version = Version.current();
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case "text", "" -> {
                out.println("caisson " + version.caisson());
                out.println("java    " + version.java());
                out.println("kernel  Linux " + version.kernel() + " (" + version.architecture() + ")");
            }
            case "json" -> out.println(JsonText.of(fields(version)));
            default -> out.println(Template.parse(format).render(fields(version)));
        }
        return 0;
    }

    /// Returns Caisson's own fields, then Docker's; the program that is asked runs the containers, too.
    private static Map<String, Object> fields(Version version) {
        var client = new LinkedHashMap<String, Object>();
        client.put("Platform", Map.of("Name", "Caisson"));
        client.put("Version", version.caisson());
        client.put("Os", "linux");
        client.put("Arch", version.architecture());
        var server = new LinkedHashMap<String, Object>(client);
        server.put("KernelVersion", version.kernel());
        var fields = new LinkedHashMap<String, Object>();
        fields.put("caisson", version.caisson());
        fields.put("java", version.java());
        fields.put("kernel", version.kernel());
        fields.put("architecture", version.architecture());
        fields.put("Client", client);
        fields.put("Server", server);
        return fields;
    }
}
