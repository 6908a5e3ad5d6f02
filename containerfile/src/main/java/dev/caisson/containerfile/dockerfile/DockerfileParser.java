package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Blank;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Comment;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Directive;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Flag;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Heredoc;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Splits a Dockerfile into its nodes, line by line, as BuildKit's `frontend/dockerfile/parser` does: directives first,
/// then instructions whose lines are joined at the escape character, comment lines inside them dropped, here-documents
/// read to their terminators.
final class DockerfileParser {
    private static final Pattern DIRECTIVE = Pattern.compile("^#\\s*([A-Za-z][A-Za-z0-9]*)\\s*=\\s*(.+?)\\s*$");
    private static final Pattern HEREDOC = Pattern.compile("^\\d*<<(-?)([^<]+)$");
    private static final Set<String> DIRECTIVES = Set.of("syntax", "escape", "check");
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Source source;
    private final List<DockerfileNode> nodes = new ArrayList<>();
    private char escape = '\\';
    private int line = 1;

    DockerfileParser(Source source) {
        this.source = source;
    }

    Dockerfile parse() {
        directives();
        while (hasLine()) {
            String text = lineText(line);
            if (text.isBlank()) {
                nodes.add(new Blank(lines(line, line)));
                line++;
            } else if (isComment(text)) {
                nodes.add(new Comment(lines(line, line)));
                line++;
            } else {
                instruction();
            }
        }
        return new Dockerfile(source, escape, List.copyOf(nodes));
    }

    /// Directives stand before everything else; the first line that is none ends them.
    private void directives() {
        Set<String> seen = new HashSet<>();
        while (hasLine()) {
            Matcher directive = DIRECTIVE.matcher(lineText(line).strip());
            if (!directive.matches()) {
                return;
            }
            String name = directive.group(1).toLowerCase(Locale.ROOT);
            if (!DIRECTIVES.contains(name)) {
                return;
            }
            if (!seen.add(name)) {
                throw error(FileError.DOCKERFILE_DIRECTIVE, line, "The directive " + name + " is given twice.");
            }
            String value = directive.group(2);
            if (name.equals("escape")) {
                if (!value.equals("\\") && !value.equals("`")) {
                    throw error(FileError.DOCKERFILE_DIRECTIVE, line, "The escape character must be \\ or `.");
                }
                escape = value.charAt(0);
            }
            nodes.add(new Directive(name, value, lines(line, line)));
            line++;
        }
    }

    private void instruction() {
        int first = line;
        LogicalText.Builder logical = new LogicalText.Builder(source, textStart(line));
        List<Place> comments = new ArrayList<>();
        boolean open = appendLine(logical, line);
        line++;
        while (open && hasLine()) {
            String text = lineText(line);
            if (isComment(text)) {
                comments.add(lines(line, line));
            } else if (!text.isBlank()) {
                open = appendLine(logical, line);
            }
            line++;
        }
        LogicalText text = logical.build().strip();
        if (text.length() == 0) {
            // a line that holds nothing but the escape character
            nodes.add(new Blank(lines(first, line - 1)));
            return;
        }
        nodes.add(instruction(text, first, List.copyOf(comments), true));
    }

    private Instruction instruction(LogicalText text, int first, List<Place> comments, boolean mayTrigger) {
        int nameEnd = 0;
        while (nameEnd < text.length() && !Character.isWhitespace(text.charAt(nameEnd))) {
            nameEnd++;
        }
        String name = text.text().substring(0, nameEnd);
        Place namePlace = text.place(0, nameEnd);
        Keyword keyword = Keyword.of(name)
                .orElseThrow(() -> new ContainerFileException(
                        FileError.DOCKERFILE_UNKNOWN_INSTRUCTION, namePlace, "There is no instruction " + name + "."));
        LogicalText rest = text.slice(nameEnd, text.length()).strip();
        if (keyword == Keyword.ONBUILD) {
            return onBuild(text, rest, first, comments, mayTrigger);
        }
        List<Flag> flags = new ArrayList<>();
        LogicalText arguments = keyword.takesFlags() ? flags(rest, flags) : rest;
        Optional<List<Word>> json = keyword.takesJson() ? JsonWords.parse(arguments) : Optional.empty();
        List<Heredoc> heredocs = keyword.takesHeredoc() && json.isEmpty() ? heredocs(arguments) : List.of();
        if (arguments.length() == 0 && keyword != Keyword.CMD && keyword != Keyword.ENTRYPOINT) {
            throw new ContainerFileException(
                    FileError.DOCKERFILE_ARGUMENTS, namePlace, keyword + " needs an argument.");
        }
        return new Instruction(
                keyword,
                lines(first, line - 1),
                text.place(),
                List.copyOf(flags),
                arguments,
                json,
                heredocs,
                Optional.empty(),
                comments);
    }

    private Instruction onBuild(
            LogicalText text, LogicalText rest, int first, List<Place> comments, boolean mayTrigger) {
        if (!mayTrigger || rest.length() == 0) {
            throw new ContainerFileException(
                    FileError.DOCKERFILE_ARGUMENTS, text.place(), "ONBUILD needs another instruction after it.");
        }
        Instruction trigger = instruction(rest, first, List.of(), false);
        return new Instruction(
                Keyword.ONBUILD,
                lines(first, line - 1),
                text.place(),
                List.of(),
                rest,
                Optional.empty(),
                trigger.heredocs(),
                Optional.of(trigger),
                comments);
    }

    /// Takes the `--name=value` words off the front and returns what follows them.
    private LogicalText flags(LogicalText text, List<Flag> flags) {
        WordSplitter words = new WordSplitter(text, escape);
        int rest = 0;
        while (words.next()) {
            Word word = words.word();
            if (!word.raw().startsWith("--")) {
                break;
            }
            rest = words.end();
            if (word.raw().equals("--")) {
                break;
            }
            String body = word.value().substring(2);
            int equals = body.indexOf('=');
            flags.add(
                    equals < 0
                            ? new Flag(body, Optional.empty(), word.place())
                            : new Flag(
                                    body.substring(0, equals), Optional.of(body.substring(equals + 1)), word.place()));
        }
        return text.slice(rest, text.length()).strip();
    }

    private List<Heredoc> heredocs(LogicalText arguments) {
        if (!arguments.text().contains("<<")) {
            return List.of();
        }
        List<Heredoc> heredocs = new ArrayList<>();
        WordSplitter words = new WordSplitter(arguments, escape);
        while (words.next()) {
            Word word = words.word();
            Matcher start = HEREDOC.matcher(word.raw());
            if (start.matches()) {
                String rawName = start.group(2);
                String name = word.value()
                        .substring(
                                word.value().indexOf("<<") + 2 + start.group(1).length());
                if (!name.isEmpty()) {
                    heredocs.add(
                            heredoc(name, name.equals(rawName), !start.group(1).isEmpty(), word.place()));
                }
            }
        }
        return List.copyOf(heredocs);
    }

    private Heredoc heredoc(String name, boolean expands, boolean tabsStripped, Place opened) {
        LogicalText.Builder body =
                new LogicalText.Builder(source, line <= source.lineCount() ? source.lineStart(line) : source.length());
        while (hasLine()) {
            String text = source.lineText(line);
            int start = source.lineStart(line);
            int tabs = 0;
            while (tabsStripped && tabs < text.length() && text.charAt(tabs) == '\t') {
                tabs++;
            }
            if (text.substring(tabs).equals(name)) {
                line++;
                return new Heredoc(name, expands, tabsStripped, body.build());
            }
            body.append(start + tabs, lines(line, line).end());
            line++;
        }
        throw new ContainerFileException(
                FileError.DOCKERFILE_HEREDOC,
                opened,
                "The here-document is not closed: no line holds " + name + " alone.");
    }

    /// Adds a physical line without its continuation character; tells whether it had one.
    private boolean appendLine(LogicalText.Builder logical, int number) {
        int start = textStart(number);
        int end = source.lineEnd(number);
        int last = end;
        while (last > start
                && (source.text().charAt(last - 1) == ' ' || source.text().charAt(last - 1) == '\t')) {
            last--;
        }
        boolean continues = last > start
                && source.text().charAt(last - 1) == escape
                && (last - 1 == start || source.text().charAt(last - 2) != escape);
        logical.append(start, continues ? last - 1 : end);
        return continues;
    }

    private boolean hasLine() {
        return line < source.lineCount() || (line == source.lineCount() && source.lineStart(line) < source.length());
    }

    private int textStart(int number) {
        int start = source.lineStart(number);
        boolean marked = number == 1 && source.length() > 0 && source.text().charAt(0) == BYTE_ORDER_MARK;
        return marked ? start + 1 : start;
    }

    private String lineText(int number) {
        return source.text().substring(textStart(number), Math.max(textStart(number), source.lineEnd(number)));
    }

    private Place lines(int first, int last) {
        int end = last < source.lineCount() ? source.lineStart(last + 1) : source.length();
        return source.place(source.lineStart(first), end);
    }

    private ContainerFileException error(FileError error, int number, String message) {
        return new ContainerFileException(
                error, source.place(source.lineStart(number), source.lineEnd(number)), message);
    }

    private static boolean isComment(String text) {
        return text.stripLeading().startsWith("#");
    }
}
