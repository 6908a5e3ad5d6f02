package dev.caisson.cli.template;

import dev.caisson.cli.caller.Caller;
import dev.caisson.linux.Terminal;
import dev.caisson.text.TerminalText;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// A parsed `--format` template: `{{.Name}}`, `{{json .}}`, `{{if}}`, `{{range}}`, `{{with}}`, variables of a range,
/// pipelines and functions, as Go's text/template and docker have them. What is not in that part is refused by name.
///
/// Values are texts, whole numbers, truth values, null, lists, maps with fixed fields, and [Dictionary] for maps whose
/// keys are a user's. A field that does not exist is an error; a key that a dictionary lacks prints `<no value>`.
public final class Template {
    /// A map whose keys are a user's, as labels.
    public record Dictionary(Map<String, ?> entries) {}

    /// A field that templates may name, and that a whole object does not print: another name of a field, or a [Lookup].
    public record Unlisted(Object value) {}

    /// A field with an argument, as `{{.Label "team"}}`.
    public record Lookup(UnaryOperator<String> of) {}

    /// Longest text of a template.
    static final int MOST_CHARACTERS = 64 << 10;

    private final List<Node> nodes;

    private Template(List<Node> nodes) {
        this.nodes = nodes;
    }

    /// Parses a template.
    /// @throws TemplateException if it is not a template of this kind
    public static Template parse(String text) {
        if (text.length() > MOST_CHARACTERS) {
            throw TemplateException.malformed("--format is longer than " + MOST_CHARACTERS + " characters: shorten it");
        }
        return new Template(new Parser(text).parse());
    }

    /// Renders one value. Labels, variables, output of health checks and the like are what containers and images chose:
    /// a terminal gets [TerminalText] alone, and a program that reads it all of it.
    /// @throws TemplateException if the template asks for a field that the value has not
    public String render(Object value) {
        var out = new Output();
        Scope scope = new Scope(value);
        nodes.forEach(node -> node.render(scope, out));
        return Terminal.isTerminal(Caller.current().descriptor(1)) ? TerminalText.output(out.text()) : out.text();
    }

    /// Renders the row of headers of a table: each field as `headers` calls it, and no function applied.
    public String header(UnaryOperator<String> headers) {
        var out = new Output();
        nodes.forEach(node -> node.header(headers, out));
        return out.text();
    }
}
