package dev.caisson.cli.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// Reads a template: texts, and actions between `{{` and `}}`.
final class Parser {
    /// Blocks in each other.
    private static final int DEEPEST = 64;

    private final String text;
    private int at;
    private int depth;
    /// What is still to be read, as far as it was split off.
    private final Deque<Piece> pieces = new ArrayDeque<>();

    /// @param action whether it stood between braces
    private record Piece(boolean action, String text) {}

    Parser(String text) {
        this.text = text;
    }

    List<Node> parse() {
        split();
        List<Node> nodes = block();
        if (!pieces.isEmpty()) {
            throw TemplateException.malformed(
                    "unexpected {{" + pieces.getFirst().text() + "}} in --format");
        }
        return nodes;
    }

    /// `{{-` and `-}}` take the white space beside them away.
    private void split() {
        boolean trim = false;
        while (at < text.length()) {
            int open = text.indexOf("{{", at);
            String before = text.substring(at, open < 0 ? text.length() : open);
            before = trim ? before.stripLeading() : before;
            if (open < 0) {
                addText(before);
                return;
            }
            int start = open + 2;
            if (text.startsWith("- ", start) || text.startsWith("-\t", start) || text.startsWith("-\n", start)) {
                before = before.stripTrailing();
                start++;
            }
            addText(before);
            int close = close(start);
            String action = text.substring(start, close);
            trim = action.endsWith(" -");
            action = trim ? action.substring(0, action.length() - 1) : action;
            at = close + 2;
            if (!isComment(action.strip())) {
                pieces.add(new Piece(true, action.strip()));
            }
        }
    }

    private static boolean isComment(String action) {
        return action.startsWith("/*") && action.endsWith("*/");
    }

    private void addText(String part) {
        if (!part.isEmpty()) {
            pieces.add(new Piece(false, part));
        }
    }

    /// The braces that end an action, which are not those in a text of it.
    private int close(int start) {
        char quote = 0;
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote != 0) {
                if (c == '\\' && quote == '"') {
                    i++;
                } else if (c == quote) {
                    quote = 0;
                }
            } else if (c == '"' || c == '`') {
                quote = c;
            } else if (text.startsWith("}}", i)) {
                return i;
            }
        }
        throw TemplateException.malformed("unclosed action in --format: {{" + text.substring(start));
    }

    /// Nodes up to an `end` or `else`, which stays.
    private List<Node> block() {
        if (++depth > DEEPEST) {
            throw TemplateException.malformed("--format has more than " + DEEPEST + " blocks in each other");
        }
        var nodes = new ArrayList<Node>();
        while (!pieces.isEmpty()) {
            Piece piece = pieces.getFirst();
            if (piece.action()
                    && (piece.text().equals("end") || firstWord(piece.text()).equals("else"))) {
                break;
            }
            pieces.removeFirst();
            nodes.add(piece.action() ? action(piece.text()) : new Node.Text(piece.text()));
        }
        depth--;
        return List.copyOf(nodes);
    }

    private static String firstWord(String action) {
        int end = 0;
        while (end < action.length() && Character.isLetter(action.charAt(end))) {
            end++;
        }
        return action.substring(0, end);
    }

    private Node action(String action) {
        String word = firstWord(action);
        String rest = action.substring(word.length()).strip();
        return switch (word) {
            case "if" -> conditional(rest, false);
            case "with" -> conditional(rest, true);
            case "range" -> range(rest);
            case "define", "template", "block", "break", "continue" ->
                throw TemplateException.malformed(
                        "--format has no {{" + word + "}}: use fields, if, range, with and functions");
            default -> statement(action);
        };
    }

    private static Node statement(String action) {
        var tokens = new Tokens(action);
        Optional<String> variable = tokens.assignment();
        Expression value = tokens.pipeline();
        tokens.requireEnd();
        return variable.<Node>map(name -> new Node.Assign(name, value)).orElseGet(() -> new Node.Print(value));
    }

    private Node conditional(String condition, boolean rebinds) {
        Expression value = whole(condition);
        List<Node> then = block();
        String next = next();
        if (next.equals("end")) {
            return new Node.If(value, rebinds, then, List.of());
        }
        String after = next.substring("else".length()).strip();
        if (firstWord(after).equals("if") || firstWord(after).equals("with")) {
            String word = firstWord(after);
            Node nested = conditional(after.substring(word.length()).strip(), word.equals("with"));
            return new Node.If(value, rebinds, then, List.of(nested)); // the nested one took the end
        }
        return new Node.If(value, rebinds, then, otherwise(after));
    }

    private List<Node> otherwise(String after) {
        if (!after.isEmpty()) {
            throw TemplateException.malformed("unexpected \"" + after + "\" after else in --format");
        }
        List<Node> nodes = block();
        if (!next().equals("end")) {
            throw TemplateException.malformed("expected {{end}} in --format; found a second {{else}}");
        }
        return nodes;
    }

    private String next() {
        if (pieces.isEmpty()) {
            throw TemplateException.malformed("unexpected EOF in --format: {{end}} is missing");
        }
        return pieces.removeFirst().text();
    }

    private Node range(String text) {
        var tokens = new Tokens(text);
        List<String> names = tokens.rangeVariables();
        Expression over = tokens.pipeline();
        tokens.requireEnd();
        List<Node> body = block();
        String next = next();
        List<Node> otherwise = next.equals("end")
                ? List.of()
                : otherwise(next.substring("else".length()).strip());
        String key = names.size() > 1 ? names.get(0) : "";
        String value = names.isEmpty() ? "" : names.getLast();
        return new Node.Range(over, key, value, body, otherwise);
    }

    private static Expression whole(String text) {
        var tokens = new Tokens(text);
        Expression value = tokens.pipeline();
        tokens.requireEnd();
        return value;
    }
}
