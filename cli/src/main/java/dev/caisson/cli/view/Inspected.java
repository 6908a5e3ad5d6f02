package dev.caisson.cli.view;

import dev.caisson.cli.template.Template;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;

/// The form in which `inspect` commands print objects: a list of indented JSON, a line of JSON, or a template for
/// each.
public final class Inspected {
    private final Optional<Template> template;
    private final boolean indented;

    private Inspected(Optional<Template> template, boolean indented) {
        this.template = template;
        this.indented = indented;
    }

    /// Reads the value of `--format`.
    public static Inspected as(Optional<String> format) {
        boolean json =
                format.isEmpty() || format.get().equals("json") || format.get().isEmpty();
        return new Inspected(json ? Optional.empty() : format.map(Template::parse), format.isEmpty());
    }

    public void print(PrintWriter out, List<?> objects) {
        if (template.isPresent()) {
            objects.forEach(one -> out.println(template.get().render(one)));
        } else {
            out.println(
                    indented
                            ? IndentedJson.of(objects)
                            : Template.parse("{{json .}}").render(objects));
        }
    }
}
