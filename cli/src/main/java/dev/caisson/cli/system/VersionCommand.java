package dev.caisson.cli.system;

import dev.caisson.cli.text.OutputFormat;
import io.avaje.jsonb.Jsonb;
import java.io.PrintWriter;
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
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text for people, json for programs (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TEXT;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Version version = Version.current();
        switch (format) {
            case TEXT -> {
                out.println("caisson " + version.caisson());
                out.println("java    " + version.java() + "");
                out.println("kernel  Linux " + version.kernel() + " (" + version.architecture() + ")");
            }
            case JSON -> out.println(Jsonb.instance().type(Version.class).toJson(version));
        }
        return 0;
    }
}
