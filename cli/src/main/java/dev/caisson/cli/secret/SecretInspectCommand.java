package dev.caisson.cli.secret;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.view.IndentedJson;
import dev.caisson.error.CaissonException;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson secret inspect`: all that is known of secrets but their values.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of secrets but their values, in Docker's form.",
        footer = "%n  caisson secret inspect -f '{{.Current}}' db-password")
final class SecretInspectCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.ID}}, {{json .Spec.Labels}}.")
    private @Nullable String format;

    @Parameters(arity = "1..*", paramLabel = "SECRET", description = "Names, ids, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        boolean json = format == null || format.equals("json") || format.isEmpty();
        Template template = Template.parse(json ? "" : String.valueOf(format));
        var found = new ArrayList<Map<String, Object>>();
        int status = 0;
        try (SecretStore store = Stores.open()) {
            List<SecretRecord> all = store.list();
            for (String one : wanted) {
                try {
                    found.add(SecretRow.object(Stores.find(all, one)));
                } catch (CaissonException e) {
                    spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                    status = SOME_FAILED;
                }
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(
                    format == null
                            ? IndentedJson.of(found)
                            : Template.parse("{{json .}}").render(found));
        } else {
            found.forEach(one -> out.println(template.render(one)));
        }
        return status;
    }
}
