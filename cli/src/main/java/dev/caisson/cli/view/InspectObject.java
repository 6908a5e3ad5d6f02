package dev.caisson.cli.view;

import dev.caisson.cli.template.Template;
import dev.caisson.engine.ContainerDetails;
import dev.caisson.engine.ContainerState;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.engine.RunningContainer;
import dev.caisson.linux.Processes;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// A container in the form of Docker's `inspect`, as far as it has what Docker's has.
final class InspectObject {
    private static final String NEVER = "0001-01-01T00:00:00Z";

    private InspectObject() {}

    /// @param attached one that ends with its command, while it runs
    /// @param stopSignal of one that ended with its command
    static Map<String, Object> of(
            ContainerStatus status,
            Optional<DetachedContainer> detached,
            Optional<RunningContainer> attached,
            OptionalInt stopSignal,
            NetworkPlaces networks)
            throws InterruptedException {
        var object = new LinkedHashMap<String, Object>();
        Optional<ContainerDetails> details = detached.map(DetachedContainer::details);
        List<String> arguments = details.map(ContainerDetails::arguments).orElseGet(status::command);
        object.put("Id", status.id().value());
        object.put("Created", status.created().toString());
        object.put("Path", arguments.isEmpty() ? "" : arguments.getFirst());
        object.put("Args", arguments.isEmpty() ? List.of() : arguments.subList(1, arguments.size()));
        object.put("State", state(status, detached, attached));
        object.put("Image", status.image());
        object.put(
                "LogPath",
                detached.flatMap(DetachedContainer::logPath).map(Path::toString).orElse(""));
        object.put("Name", "/" + status.name().orElse(""));
        object.put("RestartCount", detached.isPresent() ? (long) detached.get().restarts() : 0L);
        object.put("Driver", "overlay");
        object.put("Platform", "linux");
        object.put("HostConfig", HostConfigObject.of(status, detached, networks));
        object.put(
                "Mounts",
                MountObjects.of(detached.map(DetachedContainer::mounts).orElse(List.of())));
        Map<String, Object> config = config(status, detached, details);
        if (detached.isEmpty()) {
            putStop(config, attached, stopSignal);
        }
        object.put("Config", config);
        object.put(
                "NetworkSettings",
                NetworkView.settings(
                        networks, details.map(ContainerDetails::exposedPorts).orElse(List.of())));
        return object;
    }

    private static void putStop(
            Map<String, Object> config, Optional<RunningContainer> attached, OptionalInt stopSignal) {
        if (attached.isPresent()) {
            config.put("StopSignal", signal(attached.get().stopSignal()));
            config.put("StopTimeout", attached.get().stopTimeout().toSeconds());
        } else if (stopSignal.isPresent()) {
            config.put("StopSignal", signal(stopSignal.getAsInt()));
        }
    }

    private static Map<String, Object> state(
            ContainerStatus status, Optional<DetachedContainer> detached, Optional<RunningContainer> attached)
            throws InterruptedException {
        String word = status.word();
        Optional<ContainerState.End> end = status.state().flatMap(ContainerState::lastEnd);
        var state = new LinkedHashMap<String, Object>();
        state.put("Status", word);
        state.put("Running", word.equals("running") || word.equals("paused") || word.equals("restarting"));
        state.put("Paused", word.equals("paused"));
        state.put("Restarting", word.equals("restarting"));
        state.put(
                "OOMKilled",
                end.map(ContainerState.End::outOfMemory)
                        .orElseGet(() ->
                                status.result().map(one -> one.oomKills() > 0).orElse(false)));
        state.put("Dead", word.equals("dead"));
        state.put("Pid", (long) status.state()
                .map(ContainerState::pid)
                .or(() -> attached.map(RunningContainer::pid))
                .orElse(0));
        state.put("ExitCode", (long) status.exitStatus().orElse(0));
        state.put("Error", error(status, detached));
        Optional<Instant> started = detached.isPresent() ? detached.get().started() : Optional.of(status.created());
        state.put("StartedAt", started.map(Instant::toString).orElse(NEVER));
        state.put(
                "FinishedAt",
                end.map(ContainerState.End::time)
                        .or(status::ended)
                        .map(Instant::toString)
                        .orElse(NEVER));
        if (detached.isPresent() && detached.get().options().health().command().isPresent()) {
            state.put("Health", HealthText.state(detached.get().health()));
        }
        return state;
    }

    private static String error(ContainerStatus status, Optional<DetachedContainer> detached)
            throws InterruptedException {
        if (status.state().orElse(null) instanceof ContainerState.Lost lost) {
            return lost.cause().text() + ": nobody knows how it ended";
        }
        return detached.isPresent() ? detached.get().refusal().orElse("") : "";
    }

    private static Map<String, Object> config(
            ContainerStatus status, Optional<DetachedContainer> detached, Optional<ContainerDetails> details) {
        var config = new LinkedHashMap<String, Object>();
        config.put("Hostname", details.map(ContainerDetails::hostName).orElse(""));
        config.put("User", details.map(ContainerDetails::user).orElse(""));
        var exposed = new LinkedHashMap<String, Object>();
        details.map(ContainerDetails::exposedPorts).orElse(List.of()).forEach(port -> exposed.put(port, Map.of()));
        config.put("ExposedPorts", new Template.Dictionary(exposed));
        config.put("Tty", detached.map(DetachedContainer::hasTerminal).orElse(false));
        config.put("OpenStdin", detached.map(DetachedContainer::hasInput).orElse(false));
        config.put("Env", details.map(ContainerDetails::environment).orElse(List.of()));
        config.put("Cmd", details.map(ContainerDetails::arguments).orElseGet(status::command));
        config.put("Entrypoint", List.of()); // Cmd has the whole command
        config.put("Image", status.image());
        config.put("WorkingDir", details.map(ContainerDetails::workingDirectory).orElse(""));
        config.put("Labels", new Template.Dictionary(status.labels()));
        detached.map(known -> known.options().health())
                .filter(health -> health.command().isPresent())
                .ifPresent(health -> config.put("Healthcheck", HealthText.config(health)));
        detached.ifPresent(known -> {
            config.put("StopSignal", signal(known.stopSignal()));
            config.put("StopTimeout", known.stopTimeout().toSeconds());
        });
        return config;
    }

    private static String signal(int number) {
        return Processes.SIGNALS.entrySet().stream()
                .filter(entry -> entry.getValue() == number)
                .findFirst()
                .map(entry -> "SIG" + entry.getKey())
                .orElse(Integer.toString(number));
    }
}
