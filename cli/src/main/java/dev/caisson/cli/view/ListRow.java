package dev.caisson.cli.view;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Template;
import dev.caisson.cli.text.AgeText;
import dev.caisson.engine.ContainerState;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.HealthReport;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.Verdict;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// A container as a row of `caisson ps`, with Docker's fields.
final class ListRow {
    static final String TABLE =
            "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

    static final String SIZED_TABLE = TABLE + "\t{{.Size}}";

    static final Map<String, String> HEADERS = Map.ofEntries(
            Map.entry("ID", "CONTAINER ID"),
            Map.entry("Image", "IMAGE"),
            Map.entry("Command", "COMMAND"),
            Map.entry("CreatedAt", "CREATED AT"),
            Map.entry("RunningFor", "CREATED"),
            Map.entry("Ports", "PORTS"),
            Map.entry("State", "STATE"),
            Map.entry("Status", "STATUS"),
            Map.entry("Names", "NAMES"),
            Map.entry("Labels", "LABELS"),
            Map.entry("Mounts", "MOUNTS"),
            Map.entry("Size", "SIZE"),
            Map.entry("Networks", "NETWORKS"));

    private static final int LONGEST_COMMAND = 20;
    private static final DateTimeFormatter CREATED =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss Z z", Locale.ROOT).withZone(ZoneId.systemDefault());

    private ListRow() {}

    static Map<String, Object> fields(ContainerStatus container, NetworkPlaces networks, Instant now, boolean whole) {
        var fields = new LinkedHashMap<String, Object>();
        String command = OneLine.of(container.command().stream()
                .map(word -> word.indexOf(' ') < 0 ? word : "'" + word + "'")
                .collect(Collectors.joining(" ")));
        fields.put("Command", '"' + (whole ? command : shortened(command)) + '"');
        fields.put("CreatedAt", CREATED.format(container.created()));
        fields.put("ID", whole ? container.id().value() : container.id().shortForm());
        fields.put("Image", OneLine.of(container.image()));
        fields.put(
                "Labels",
                container.labels().entrySet().stream()
                        .map(label -> label.getKey() + "=" + label.getValue())
                        .collect(Collectors.joining(",")));
        fields.put("Mounts", "");
        fields.put("Names", container.name().orElse(""));
        fields.put("Networks", NetworkView.names(networks));
        fields.put("Ports", NetworkView.column(networks));
        fields.put("RunningFor", AgeText.of(container.created(), now) + " ago");
        fields.put("State", container.word());
        fields.put("Status", status(container, now));
        return fields;
    }

    /// Returns the fields for a template, which may ask for a single label too.
    static Map<String, Object> row(ContainerStatus container, NetworkPlaces networks, Instant now, boolean whole) {
        Map<String, Object> fields = fields(container, networks, now, whole);
        fields.put(
                "Label",
                new Template.Unlisted(new Template.Lookup(
                        name -> OneLine.row(container.labels().getOrDefault(name, "")))));
        return fields;
    }

    private static String shortened(String command) {
        return command.length() <= LONGEST_COMMAND ? command : command.substring(0, LONGEST_COMMAND - 1) + "…";
    }

    /// Returns the fields for programs: Caisson's own, then Docker's.
    static Map<String, Object> json(ContainerStatus container, NetworkPlaces networks, Instant now) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("id", container.id().value());
        fields.put("name", container.name().orElse(""));
        fields.put("image", container.image());
        fields.put("command", container.command());
        fields.put("created", container.created().toString());
        fields.put("labels", container.labels());
        fields.put("state", container.word());
        fields.put("running", container.running());
        fields.put("kept", container.kept());
        container.ended().ifPresent(time -> fields.put("ended", time.toString()));
        container.result().ifPresent(result -> {
            fields.put("verdict", result.verdict().name());
            fields.put("exitStatus", result.exitStatus());
        });
        fields.putAll(fields(container, networks, now, false));
        return fields;
    }

    static String status(ContainerStatus container, Instant now) {
        if (container.state().isEmpty()) {
            return container.running() ? "Up " + AgeText.of(container.created(), now) : ended(container, now);
        }
        return switch (container.state().get()) {
            case ContainerState.Created _ -> "Created";
            case ContainerState.Running running ->
                "Up " + AgeText.of(running.started(), now) + health(running.health());
            case ContainerState.Paused paused -> "Up " + AgeText.of(paused.started(), now) + " (Paused)";
            case ContainerState.Restarting restarting ->
                "Restarting (" + restarting.last().status() + ") "
                        + AgeText.of(restarting.last().time(), now) + " ago";
            case ContainerState.Exited _ -> ended(container, now);
            case ContainerState.Lost lost -> "Exited (unknown), " + lost.cause().text();
        };
    }

    private static String health(HealthReport.Health health) {
        return switch (health) {
            case NONE -> "";
            case STARTING -> " (health: starting)";
            case HEALTHY, UNHEALTHY -> " (" + health.word() + ")";
        };
    }

    private static String ended(ContainerStatus container, Instant now) {
        Optional<RunResult> result = container.result();
        if (result.isEmpty()) {
            return "Killed with its engine";
        }
        Verdict verdict = result.get().verdict();
        return "Exited (" + result.get().exitStatus() + ") "
                + AgeText.of(container.ended().orElse(now), now) + " ago"
                + (verdict == Verdict.OK || verdict == Verdict.EXIT ? "" : ", " + verdict);
    }
}
