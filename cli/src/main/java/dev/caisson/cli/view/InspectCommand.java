package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DiskUse;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.engine.Leftovers;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageException;
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

/// `caisson inspect`: all that is known of containers, or of images.
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Show all that is known of containers, or of images, in Docker's form.",
        footer = {
            "%n  caisson inspect web",
            "  caisson inspect -f '{{.State.Status}} {{.State.ExitCode}}' web",
            "  caisson inspect --type image debian:13"
        })
public final class InspectCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "TEMPLATE",
            description = "json, or a template: {{.State.Pid}}, {{json .Config.Labels}}, {{range}}, {{if}}.")
    private @Nullable String format;

    @Option(
            names = {"-s", "--size"},
            description = "What each has written into its root, too: SizeRw.")
    private boolean size;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description = "container or image (default: a container, else an image of that name).")
    private @Nullable String type;

    @Parameters(arity = "1..*", paramLabel = "NAME", description = "Names, or the beginnings of ids.")
    private List<String> containers = List.of();

    @Override
    public Integer call() throws InterruptedException {
        if (type != null && !type.equals("container") && !type.equals("image")) {
            throw CommandException.refused("--type " + type, "give container or image");
        }
        Inspected form = Inspected.as(Optional.ofNullable(format));
        EngineOptions options = Caller.current().directories();
        Leftovers.clear(options);
        var found = new ArrayList<Map<String, ? extends @Nullable Object>>();
        int status = 0;
        for (String container : containers) {
            try {
                found.add(object(container, options));
            } catch (CaissonException e) {
                spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                status = SOME_FAILED;
            }
        }
        form.print(spec.commandLine().getOut(), found);
        return status;
    }

    private Map<String, ? extends @Nullable Object> object(String name, EngineOptions options)
            throws InterruptedException {
        if ("image".equals(type)) {
            return image(name, options);
        }
        try {
            return container(name, options);
        } catch (EngineException e) {
            if (type == null && e.code().equals("CONTAINER_UNKNOWN")) {
                return imageElse(name, options, e);
            }
            throw e;
        }
    }

    private static Map<String, @Nullable Object> image(String name, EngineOptions options) {
        try (Images images = Images.open(options)) {
            return ImageObject.of(images, images.find(name));
        }
    }

    /// A name that is neither is told as that of a container, which most are.
    private static Map<String, @Nullable Object> imageElse(
            String name, EngineOptions options, EngineException unknown) {
        try {
            return image(name, options);
        } catch (EngineException | ImageException e) {
            if (e.code().equals("IMAGE_UNKNOWN") || e.code().equals("BAD_NAME")) {
                throw unknown;
            }
            throw e;
        }
    }

    private Map<String, Object> container(String container, EngineOptions options) throws InterruptedException {
        ContainerStatus status = ContainerStatus.find(container, options);
        Optional<DetachedContainer> detached =
                DetachedContainer.find(status.id().value(), options);
        Map<String, Object> object = InspectObject.of(status, detached, NetworkPlaces.of(status.id(), options));
        if (size) {
            object.put("SizeRw", DiskUse.written(status, options).count());
        }
        return object;
    }
}
