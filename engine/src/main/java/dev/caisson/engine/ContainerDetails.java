package dev.caisson.engine;

import dev.caisson.image.ImageConfig;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import dev.caisson.state.KeptFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// What a container that outlives its command was asked to be, as its plan settled it.
///
/// @param arguments the program and its arguments, those of the image included
/// @param environment lines `VARIABLE=value`, those of the image included
/// @param user as it was asked for; empty for the image's
/// @param mounts `source:target:ro` of each, the source empty for memory
/// @param exposedPorts `80/tcp` of each port that it is known to serve, lowest first: those of its image, those of
/// `--expose` and those that are published
public record ContainerDetails(
        List<String> arguments,
        List<String> environment,
        String user,
        String workingDirectory,
        String hostName,
        boolean readOnlyRoot,
        boolean privileged,
        boolean init,
        long memory,
        long pids,
        List<String> mounts,
        List<String> exposedPorts) {
    private static final String NAME = "details.json";

    static ContainerDetails of(ContainerSpec spec, LaunchPlan plan, ImageConfig image) {
        Step.Execute program = plan.only(Step.Execute.class);
        return new ContainerDetails(
                program.arguments(),
                program.environment(),
                spec.user().orElse(""),
                plan.only(Step.Ready.class).workingDirectory(),
                plan.all(Step.SetHostName.class).stream()
                        .map(Step.SetHostName::name)
                        .findFirst()
                        .orElse(""),
                spec.readOnlyRoot(),
                spec.privileged(),
                spec.init(),
                spec.limits().memory().count(),
                spec.limits().pids(),
                spec.mounts().stream().flatMap(ContainerDetails::texts).toList(),
                ServedPorts.known(spec, image).stream()
                        .map(ContainerPort::toString)
                        .toList());
    }

    private static Stream<String> texts(Mount mount) {
        return switch (mount) {
            case Mount.Bind bind -> text(bind.source().toString(), bind.target().absolute(), bind.readOnly());
            case Mount.Workspace workspace ->
                text(workspace.name().toString(), workspace.target().absolute(), workspace.readOnly());
            case Mount.Volume volume ->
                text(
                        volume.name().map(VolumeName::value).orElse(""),
                        volume.target().absolute(),
                        volume.readOnly());
            case Mount.ImageFiles files ->
                text(files.image().toString(), files.target().absolute(), true);
            case Mount.Tmpfs tmpfs -> text("", tmpfs.target().absolute(), tmpfs.readOnly());
            case Mount.Secrets secrets ->
                secrets.files().stream().flatMap(file -> text(file.secret().text(), file.path(), true));
        };
    }

    private static Stream<String> text(String source, String target, boolean readOnly) {
        return Stream.of(source + ":" + target + (readOnly ? ":ro" : ":rw"));
    }

    ContainerDetails limited(Limits limits) {
        return new ContainerDetails(
                arguments,
                environment,
                user,
                workingDirectory,
                hostName,
                readOnlyRoot,
                privileged,
                init,
                limits.memory().count(),
                limits.pids(),
                mounts,
                exposedPorts);
    }

    void write(Fd directory) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("arguments", arguments);
        fields.put("environment", environment);
        fields.put("user", user);
        fields.put("workingDirectory", workingDirectory);
        fields.put("hostName", hostName);
        fields.put("readOnlyRoot", readOnlyRoot);
        fields.put("privileged", privileged);
        fields.put("init", init);
        fields.put("memory", memory);
        fields.put("pids", pids);
        fields.put("mounts", mounts);
        fields.put("exposedPorts", exposedPorts);
        KeptFile.write(directory, NAME, fields);
    }

    static Optional<ContainerDetails> read(Fd directory) {
        return KeptFile.read(directory, NAME, ContainerDetails::of);
    }

    private static ContainerDetails of(Map<?, ?> fields) {
        return new ContainerDetails(
                KeptFile.texts(fields, "arguments"),
                KeptFile.texts(fields, "environment"),
                KeptFile.text(fields, "user"),
                KeptFile.text(fields, "workingDirectory"),
                KeptFile.text(fields, "hostName"),
                Boolean.TRUE.equals(fields.get("readOnlyRoot")),
                Boolean.TRUE.equals(fields.get("privileged")),
                Boolean.TRUE.equals(fields.get("init")),
                KeptFile.number(fields, "memory"),
                KeptFile.number(fields, "pids"),
                KeptFile.texts(fields, "mounts"),
                fields.containsKey("exposedPorts") // an earlier version did not write them
                        ? KeptFile.texts(fields, "exposedPorts")
                        : List.of());
    }
}
