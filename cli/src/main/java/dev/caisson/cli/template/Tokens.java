package dev.caisson.cli.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The words of one action, read from left to right.
final class Tokens {
    private static final int DEEPEST = 32;
    private static final Pattern TOKEN = Pattern.compile("\\s*(?:"
            + "(?<text>\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)"
            + "|(?<number>-?[0-9]{1,18})(?![\\w.])"
            + "|(?<variable>\\$\\w*)"
            + "|(?<field>\\.\\w+)"
            + "|(?<word>[A-Za-z]\\w*)"
            + "|(?<sign>:=|[.|(),])"
            + ")");

    private final String action;
    private final Matcher matcher;
    private int at;
    private int depth;

    Tokens(String action) {
        this.action = action;
        this.matcher = TOKEN.matcher(action);
    }

    private boolean peek() {
        return matcher.find(at) && matcher.start() == at;
    }

    private boolean isAtEnd() {
        return action.substring(at).isBlank();
    }

    private boolean skip(String sign) {
        if (peek() && sign.equals(matcher.group("sign"))) {
            at = matcher.end();
            return true;
        }
        return false;
    }

    private TemplateException unexpected() {
        return isAtEnd()
                ? TemplateException.malformed("missing value for command in --format: {{" + action + "}}")
                : TemplateException.malformed(
                        "unexpected \"" + action.substring(at).strip() + "\" in --format: {{" + action + "}}");
    }

    void requireEnd() {
        if (!isAtEnd()) {
            throw unexpected();
        }
    }

    /// `$name :=`
    Optional<String> assignment() {
        int start = at;
        if (peek() && matcher.group("variable") != null) {
            String name = matcher.group("variable");
            at = matcher.end();
            if (skip(":=")) {
                return Optional.of(name);
            }
        }
        at = start;
        return Optional.empty();
    }

    /// `$key, $value :=`, or `$value :=`
    List<String> rangeVariables() {
        int start = at;
        var names = new ArrayList<String>();
        do {
            if (!peek() || matcher.group("variable") == null) {
                at = start;
                return List.of();
            }
            names.add(matcher.group("variable"));
            at = matcher.end();
        } while (names.size() < 2 && skip(","));
        if (!skip(":=")) {
            at = start;
            return List.of();
        }
        return names;
    }

    Expression pipeline() {
        if (++depth > DEEPEST) {
            throw TemplateException.malformed("--format has more than " + DEEPEST + " parentheses in each other");
        }
        Expression value = command(Optional.empty());
        while (skip("|")) {
            value = command(Optional.of(value));
        }
        depth--;
        return value;
    }

    /// @param last what a pipeline gives it as its last argument
    private Expression command(Optional<Expression> last) {
        if (peek() && matcher.group("word") != null && !isConstant(matcher.group("word"))) {
            String name = matcher.group("word");
            Function function = Function.of(name)
                    .orElseThrow(
                            () -> TemplateException.malformed("function \"" + name + "\" not defined in --format"));
            at = matcher.end();
            var arguments = new ArrayList<Expression>();
            for (Optional<Expression> one = operand(); one.isPresent(); one = operand()) {
                arguments.add(one.get());
            }
            last.ifPresent(arguments::add);
            function.requireArguments(arguments.size());
            return new Expression.Call(function, List.copyOf(arguments));
        }
        Expression value = operand().orElseThrow(this::unexpected);
        if (value instanceof Expression.Fields field) {
            Optional<Expression> argument = operand();
            if (argument.isPresent()) {
                value = new Expression.Looked(field, argument.get());
            }
        }
        if (last.isPresent()) {
            throw TemplateException.malformed("non executable command in pipeline of --format: {{" + action + "}}");
        }
        return value;
    }

    private static boolean isConstant(String word) {
        return word.equals("true") || word.equals("false") || word.equals("nil");
    }

    private Optional<Expression> operand() {
        if (!peek()) {
            return Optional.empty();
        }
        if (matcher.group("text") != null) {
            String text = matcher.group("text");
            at = matcher.end();
            return Optional.of(new Expression.Literal(unquoted(text)));
        }
        if (matcher.group("number") != null) {
            Long number = Long.valueOf(matcher.group("number"));
            at = matcher.end();
            return Optional.of(new Expression.Literal(number));
        }
        if (matcher.group("word") != null) {
            return constant(matcher.group("word"));
        }
        if (matcher.group("variable") != null) {
            var variable = new Expression.Variable(matcher.group("variable"));
            at = matcher.end();
            return Optional.of(fields(Optional.of(variable)));
        }
        if (matcher.group("field") != null) {
            return Optional.of(fields(Optional.empty()));
        }
        if (skip("(")) {
            Expression inner = pipeline();
            if (!skip(")")) {
                throw TemplateException.malformed("unclosed left paren in --format: {{" + action + "}}");
            }
            return Optional.of(fields(Optional.of(inner)));
        }
        return skip(".") ? Optional.of(fields(Optional.empty())) : Optional.empty();
    }

    private Optional<Expression> constant(String word) {
        if (!isConstant(word)) {
            throw TemplateException.malformed(
                    "unexpected \"" + word + "\" in --format: put a function with arguments into parentheses");
        }
        at = matcher.end();
        return Optional.of(new Expression.Literal(word.equals("nil") ? null : Boolean.valueOf(word)));
    }

    /// Names that follow without a space.
    private Expression fields(Optional<Expression> start) {
        var names = new ArrayList<String>();
        while (peek()
                && matcher.group("field") != null
                && ((names.isEmpty() && start.isEmpty()) || matcher.start("field") == at)) {
            names.add(matcher.group("field").substring(1));
            at = matcher.end();
        }
        return start.isPresent() && names.isEmpty() ? start.get() : new Expression.Fields(start, List.copyOf(names));
    }

    private static String unquoted(String literal) {
        String inside = literal.substring(1, literal.length() - 1);
        return literal.startsWith("`")
                ? inside
                : inside.replace("\\\\", "\u0000")
                        .replace("\\\"", "\"")
                        .replace("\\n", "\n")
                        .replace("\\t", "\t")
                        .replace("\u0000", "\\");
    }
}
