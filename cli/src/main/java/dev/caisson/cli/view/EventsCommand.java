package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.template.Template;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.LifeEvent;
import dev.caisson.engine.LifeEvents;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson events`: what happens to containers, images, networks and volumes, as it happens.
@Command(
        name = "events",
        sortOptions = false,
        description = "Show what happens to containers in the background, images, networks and volumes, as it happens.",
        footer = {
            "%n  caisson events --since 10m --until 0s",
            "  caisson events --filter event=die --format '{{.Actor.Attributes.name}} {{.Action}}'"
        })
public final class EventsCommand implements Callable<Integer> {
    private static final long PAUSE_MILLIS = 200;
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSSXXX", Locale.ROOT)
            .withZone(ZoneId.systemDefault());

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description =
                    "Those too that happened since: 2026-01-31T10:00:00Z, seconds since 1970, or 10m for ten minutes ago.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "TIME", description = "End then.")
    private @Nullable String until;

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "KEY=VALUE",
            description =
                    "Only those with container=NAME|ID, event=ACTION, image=IMAGE, network=NAME|ID, volume=NAME, label=KEY[=VALUE] or type=container|image|network|volume.")
    private List<String> filters = List.of();

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description =
                    "json for programs, an object a line, or a template: '{{.Action}} {{.Actor.Attributes.name}}'.")
    private @Nullable String format;

    @Override
    public Integer call() throws InterruptedException {
        Instant now = Instant.now();
        Instant first = since == null ? now : LogTime.parse("--since", since, now);
        Instant last = until == null ? Instant.MAX : LogTime.parse("--until", until, now);
        EventFilter filter = EventFilter.parse(filters);
        String text = format;
        Template template =
                text == null ? null : Template.parse(text.equals("json") ? "{{json .}}" : text.replace("\\t", "\t"));
        EngineOptions options = Caller.current().directories();
        PrintWriter out = spec.commandLine().getOut();
        boolean told = false;
        try (LifeEvents events = LifeEvents.open(options)) {
            boolean goesOn;
            Instant from = first;
            do {
                goesOn = Instant.now().isBefore(last);
                for (LifeEvent event : events.next()) {
                    if (!event.time().isBefore(from) && !event.time().isAfter(last) && filter.accepts(event)) {
                        out.println(template == null ? line(event) : template.render(fields(event)));
                    }
                }
                // what comes from now on is new, also if the clock was set back
                from = first.isAfter(now) ? first : Instant.MIN;
                if (events.hasGap() && !told) {
                    told = true;
                    spec.commandLine().getErr().println("caisson: older events are gone from the journal");
                }
                if (out.checkError()) {
                    return 0; // nobody reads it
                }
                if (goesOn) {
                    Thread.sleep(PAUSE_MILLIS);
                }
            } while (goesOn);
        }
        return 0;
    }

    /// In Docker's form.
    private static String line(LifeEvent event) {
        var attributes = new ArrayList<String>();
        event.attributes().forEach((key, value) -> attributes.add(OneLine.row(key) + "=" + OneLine.row(value)));
        attributes.sort(String::compareTo);
        return TIME.format(event.time()) + " " + event.kind().word() + " " + OneLine.of(event.action()) + " "
                + OneLine.of(event.id()) + " (" + String.join(", ", attributes) + ")";
    }

    private static Map<String, Object> fields(LifeEvent event) {
        var actor = new LinkedHashMap<String, Object>();
        actor.put("ID", event.id());
        actor.put("Attributes", new Template.Dictionary(event.attributes()));
        var fields = new LinkedHashMap<String, Object>();
        fields.put("status", event.action());
        fields.put("id", event.id());
        fields.put("from", event.attributes().getOrDefault("image", ""));
        fields.put("Type", event.kind().word());
        fields.put("Action", event.action());
        fields.put("Actor", actor);
        fields.put("scope", "local");
        fields.put("time", event.time().getEpochSecond());
        long nanos = ChronoUnit.NANOS.between(Instant.EPOCH, event.time());
        fields.put("timeNano", nanos);
        fields.put("Status", new Template.Unlisted(event.action()));
        fields.put("ID", new Template.Unlisted(event.id()));
        fields.put("From", new Template.Unlisted(event.attributes().getOrDefault("image", "")));
        fields.put("Scope", new Template.Unlisted("local"));
        fields.put("Time", new Template.Unlisted(event.time().getEpochSecond()));
        fields.put("TimeNano", new Template.Unlisted(nanos));
        return fields;
    }
}
