package dev.caisson.containerfile.dockerfile;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Reads a shell script once, from left to right, and collects its simple commands. Compound commands are flattened:
/// their keywords are dropped and the commands between them kept.
final class ShellScanner {
    private static final Set<String> KEYWORDS =
            Set.of("if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}", "esac");
    private static final Pattern ASSIGNMENT = Pattern.compile("^[A-Za-z_][A-Za-z0-9_]*\\+?=.*", Pattern.DOTALL);

    private final LogicalText text;
    private final List<ShellCommand> commands;
    private final int depth;
    private final List<Word> words = new ArrayList<>();
    private final List<Word> assignments = new ArrayList<>();
    private final List<Word> redirections = new ArrayList<>();
    private final Deque<String> pendingHeredocs = new ArrayDeque<>();
    private Optional<ShellCommand> pipedFrom = Optional.empty();
    private int commandStart = -1;
    private int parentheses;
    private int at;

    ShellScanner(LogicalText text, List<ShellCommand> commands, int depth) {
        this.text = text;
        this.commands = commands;
        this.depth = depth;
    }

    void scan() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '\n') {
                finish(false);
                at++;
                skipHeredocs();
            } else if (Character.isWhitespace(c)) {
                at++;
            } else if (c == '\\' && peek(1) == '\n') {
                at += 2;
            } else if (c == '#') {
                skipLine();
            } else if (c == ';') {
                finish(false);
                at++;
            } else if (c == '&' && peek(1) == '>') {
                redirection();
            } else if (c == '&') {
                finish(false);
                at += peek(1) == '&' ? 2 : 1;
            } else if (c == '|') {
                boolean or = peek(1) == '|';
                finish(!or);
                at += or || peek(1) == '&' ? 2 : 1;
            } else if (c == '(') {
                discard();
                parentheses++;
                at++;
            } else if (c == ')') {
                closeParenthesis();
            } else if ((c == '<' || c == '>') && peek(1) == '(') {
                word();
            } else if (c == '<' || c == '>' || isNumberedRedirection()) {
                redirection();
            } else {
                word();
            }
        }
        finish(false);
    }

    /// Outside a subshell, `)` ends a pattern of `case`, whose words are no command.
    private void closeParenthesis() {
        if (parentheses > 0) {
            parentheses--;
            finish(false);
        } else {
            discard();
        }
        at++;
    }

    private void word() {
        int start = at;
        String value = readWord();
        Word word = new Word(value, text.text().substring(start, at), text.place(start, at));
        if (words.isEmpty() && assignments.isEmpty() && KEYWORDS.contains(word.raw())) {
            return;
        }
        if (words.isEmpty() && (word.raw().equals("for") || word.raw().equals("case"))) {
            skipHead();
            return;
        }
        if (commandStart < 0) {
            commandStart = start;
        }
        if (words.isEmpty() && ASSIGNMENT.matcher(word.raw()).matches()) {
            assignments.add(word);
        } else {
            words.add(word);
        }
    }

    /// Passes over `NAME in WORDS` of a `for` and `WORD in` of a `case`.
    private void skipHead() {
        while (at < text.length() && text.charAt(at) != ';' && text.charAt(at) != '\n') {
            if (Character.isWhitespace(text.charAt(at))) {
                at++;
            } else if ("()&|<>".indexOf(text.charAt(at)) >= 0) {
                return;
            } else {
                int start = at;
                readWord();
                String raw = text.text().substring(start, at);
                if (raw.equals("do")) {
                    return;
                }
            }
        }
    }

    private String readWord() {
        StringBuilder value = new StringBuilder();
        char quote = 0;
        int start = at;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (quote == '\'') {
                quote = c == '\'' ? 0 : quote;
                append(value, c, c != '\'');
                at++;
            } else if (c == '\\' && at + 1 < text.length()) {
                char next = text.charAt(at + 1);
                append(value, next, next != '\n');
                at += 2;
            } else if ((c == '$' || (quote == 0 && (c == '<' || c == '>'))) && peek(1) == '(') {
                value.append(substitution());
            } else if (c == '`') {
                value.append(backticks());
            } else if (c == '$' && peek(1) == '{') {
                int end = Math.min(text.length(), closing('{', '}') + 1);
                value.append(text.text(), at, end);
                at = end;
            } else if (c == '"' || (quote == 0 && c == '\'')) {
                quote = quote == c ? 0 : c;
                at++;
            } else if (quote == 0 && (Character.isWhitespace(c) || ";&|<>()".indexOf(c) >= 0)) {
                break;
            } else {
                value.append(c);
                at++;
            }
        }
        if (at == start) {
            at++;
        }
        return value.toString();
    }

    private static void append(StringBuilder value, char c, boolean wanted) {
        if (wanted) {
            value.append(c);
        }
    }

    private String substitution() {
        int start = at;
        at++;
        int end = closing('(', ')');
        ShellScript.collect(text.slice(start + 2, Math.max(start + 2, end)), commands, depth + 1);
        at = Math.min(text.length(), end + 1);
        return text.text().substring(start, at);
    }

    private String backticks() {
        int start = at;
        int end = text.text().indexOf('`', at + 1);
        end = end < 0 ? text.length() : end;
        ShellScript.collect(text.slice(start + 1, end), commands, depth + 1);
        at = Math.min(text.length(), end + 1);
        return text.text().substring(start, at);
    }

    /// The index of the bracket that closes the next `open`; the end of the text where none does.
    private int closing(char open, char close) {
        int level = 0;
        char quote = 0;
        for (int index = at; index < text.length(); index++) {
            char c = text.charAt(index);
            if (c == '\\' && quote != '\'') {
                index++;
            } else if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == open) {
                level++;
            } else if (c == close && --level == 0) {
                return index;
            }
        }
        return text.length();
    }

    private boolean isNumberedRedirection() {
        int index = at;
        while (index < text.length() && text.charAt(index) >= '0' && text.charAt(index) <= '9') {
            index++;
        }
        return index > at && index < text.length() && (text.charAt(index) == '<' || text.charAt(index) == '>');
    }

    private void redirection() {
        int start = at;
        while (at < text.length() && "0123456789&".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        int operatorStart = at;
        while (at < text.length() && "<>&|-".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String operator = text.text().substring(operatorStart, at);
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
        if (commandStart < 0) {
            commandStart = start;
        }
        if (at >= text.length() || ";|&()\n".indexOf(text.charAt(at)) >= 0) {
            return;
        }
        int targetStart = at;
        String target = readWord();
        if (operator.equals("<<") || operator.equals("<<-")) {
            pendingHeredocs.add(target);
        } else if (operator.startsWith(">") && !operator.contains("&")) {
            redirections.add(new Word(target, text.text().substring(targetStart, at), text.place(targetStart, at)));
        }
    }

    private void skipHeredocs() {
        while (!pendingHeredocs.isEmpty() && at < text.length()) {
            String terminator = pendingHeredocs.remove();
            boolean open = true;
            while (open && at < text.length()) {
                int end = text.text().indexOf('\n', at);
                end = end < 0 ? text.length() : end;
                open = !text.text().substring(at, end).strip().equals(terminator);
                at = Math.min(text.length(), end + 1);
            }
        }
    }

    private void skipLine() {
        int end = text.text().indexOf('\n', at);
        at = end < 0 ? text.length() : end;
    }

    private void finish(boolean piped) {
        Optional<ShellCommand> made = Optional.empty();
        if (!words.isEmpty() || !assignments.isEmpty()) {
            ShellCommand command = new ShellCommand(
                    List.copyOf(words),
                    List.copyOf(assignments),
                    List.copyOf(redirections),
                    pipedFrom,
                    text.place(commandStart, Math.max(commandStart, lastEnd())));
            commands.add(command);
            made = Optional.of(command);
        }
        pipedFrom = piped ? made : Optional.empty();
        discard();
    }

    private int lastEnd() {
        int end = at;
        while (end > commandStart && Character.isWhitespace(text.charAt(end - 1))) {
            end--;
        }
        return end;
    }

    private void discard() {
        words.clear();
        assignments.clear();
        redirections.clear();
        commandStart = -1;
    }

    private char peek(int ahead) {
        return at + ahead < text.length() ? text.charAt(at + ahead) : 0;
    }
}
