package dev.caisson.cli.secret;

import dev.caisson.cli.caller.EachName;
import dev.caisson.cli.view.Inspected;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        Inspected form = Inspected.as(Optional.ofNullable(format));
        var found = new ArrayList<Map<String, Object>>();
        int status;
        try (SecretStore store = Stores.open()) {
            List<SecretRecord> all = store.list();
            status = EachName.act(
                    wanted, spec.commandLine().getErr(), one -> found.add(SecretRow.object(Stores.find(all, one))));
        }
        form.print(spec.commandLine().getOut(), found);
        return status;
    }
}
