package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.engine.Images;
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

/// `caisson image inspect`: all that is known of images.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of images of the store, in Docker's form.",
        footer = {
            "%nSize is that of the compressed layers, as they lie in the store.",
            "%n  caisson image inspect debian:13",
            "  caisson image inspect -f '{{json .Config.Env}}' debian:13"
        })
public final class ImageInspectCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.Id}}, {{json .Config.Labels}}, {{range}}, {{if}}.")
    private @Nullable String format;

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "Names, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        Inspected form = Inspected.as(Optional.ofNullable(format));
        var found = new ArrayList<Map<String, @Nullable Object>>();
        int status;
        try (Images images = Images.open(Caller.current().directories())) {
            status = EachName.act(
                    wanted, spec.commandLine().getErr(), one -> found.add(ImageObject.of(images, images.find(one))));
        }
        form.print(spec.commandLine().getOut(), found);
        return status;
    }
}
