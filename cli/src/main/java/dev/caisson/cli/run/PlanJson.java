package dev.caisson.cli.run;

import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.PlanText;
import dev.caisson.launch.Step;
import dev.caisson.linux.ByteText;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.StringWriter;
import java.lang.reflect.RecordComponent;
import java.util.List;

/// A launch plan for programs. A step's fields are the components of its record.
final class PlanJson {
    private static final int VERSION = 1;

    private PlanJson() {}

    static String of(LaunchPlan plan, PlannedNetwork network) {
        var text = new StringWriter();
        try (JsonWriter out = JsonStream.builder().build().writer(text)) {
            out.beginObject();
            field(out, "version", VERSION);
            field(out, "ids", plan.ids());
            field(
                    out,
                    "namespaces",
                    plan.namespaces().stream().sorted().map(Object::toString).toList());
            field(out, "root", plan.root());
            field(out, "slots", plan.slots());
            field(out, "explanation", PlanText.lines(plan));
            field(out, "steps", plan.steps());
            field(out, "network", network);
            out.endObject();
        }
        return text.toString();
    }

    private static void field(JsonWriter out, String name, Object value) {
        out.name(name);
        value(out, value);
    }

    private static void value(JsonWriter out, Object value) {
        switch (value) {
            case Boolean bool -> out.value(bool.booleanValue());
            case Integer number -> out.value(number.intValue());
            case Long number -> out.value(number.longValue());
            case List<?> list -> {
                out.beginArray();
                list.forEach(element -> value(out, element));
                out.endArray();
            }
            case FilterProgram filter -> {
                out.beginObject();
                field(out, "instructions", filter.instructions());
                field(out, "summary", filter.summary());
                out.endObject();
            }
            case dev.caisson.spec.InRootPath path -> out.value(ByteText.shown(path.absolute()));
            case Record data -> record(out, data);
            default -> out.value(ByteText.shown(value.toString()));
        }
    }

    private static void record(JsonWriter out, Record data) {
        out.beginObject();
        if (data instanceof Step step) {
            field(out, "phase", step.phase());
            field(out, "step", data.getClass().getSimpleName());
        } else if (data instanceof dev.caisson.launch.SlotSource) {
            field(out, "slot", data.getClass().getSimpleName());
        }
        for (RecordComponent component : data.getClass().getRecordComponents()) {
            try {
                field(out, component.getName(), component.getAccessor().invoke(data));
            } catch (ReflectiveOperationException e) {
                throw new LinkageError("a public record cannot be read", e);
            }
        }
        out.endObject();
    }
}
