import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds the small mistakes that can be put into a file of C, one at a time: a flag left out, a comparison turned round, a
/// statement dropped.
final class Mutations {
    private static final Pattern NAME = Pattern.compile("\\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\\b");
    /// Not in a row of flags, where FLAG takes it out.
    private static final Pattern ALONE = Pattern.compile("(?<!\\| )" + NAME.pattern() + "(?! \\|(?!\\|))");
    private static final Pattern FLAG = Pattern.compile("(\\s*(?<!\\|)\\|(?!\\|)\\s*)(~?[A-Z][A-Z0-9_]+)\\b|\\b(~?[A-Z][A-Z0-9_]+)(\\s*\\|(?!\\|)\\s*)");
    private static final Pattern COMPARISON = Pattern.compile(" (<=|>=|==|!=|<|>) (?!0\\b(?!x))|(?<=\\w) (==|!=) ");
    private static final Pattern LOGIC = Pattern.compile(" (&&|\\|\\|) ");
    private static final Pattern ARITHMETIC = Pattern.compile(" ([-+]) (?=\\w)");
    private static final Pattern NOT = Pattern.compile("!(?=[a-z(])");
    /// Not -1, which stands for none.
    private static final Pattern NUMBER = Pattern.compile("(?<![\\w.\"%\\[-])(0[0-7]+|[1-9]\\d*)(?![\\w.\"\\]])");
    private static final Pattern CONDITION = Pattern.compile("^(\\s*(?:else )?if )\\((.*)\\)(\\s*(?:[{].*|return .*|_exit.*)?)$");
    private static final Pattern CALL = Pattern.compile("^\\t+(?:[a-z_]+\\(.*\\)|[a-z_>.\\[\\]-]+ [|&^+-]?= [^{]*|[a-z_]+->[a-z_]+(?:\\+\\+)?);$");
    private static final Pattern RESULT = Pattern.compile("^(\\t+return )([^;]*<[^;]*|result\\(.*\\)|[a-z_]+\\(.*\\));$");
    private static final Map<String, String> OPPOSITE = Map.of("<", "<=", "<=", "<", ">", ">=", ">=", ">", "==", "!=", "!=", "==");

    private Mutations() {}

    static List<Mutant> of(String file, List<String> lines) {
        var found = new ArrayList<Mutant>();
        var numbers = new HashMap<String, Integer>();
        boolean comment = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            comment = comment || line.strip().startsWith("/*");
            boolean code = !comment && !line.startsWith("#") && !line.strip().startsWith("//") && line.startsWith("\t");
            if (line.contains("*/")) {
                comment = false;
            }
            if (code) {
                for (String changed : changes(line)) {
                    int number = numbers.merge(line.strip() + " => " + changed.strip(), 1, Integer::sum);
                    found.add(new Mutant(file, i, line, changed, number));
                }
            }
        }
        return found;
    }

    private static List<String> changes(String line) {
        var changes = new LinkedHashSet<String>();
        String code = line.replaceAll("/\\*.*?\\*/", "");
        boolean declares = code.matches("\\s*(static )?(const )?(struct|enum|char|unsigned|int|uint\\w+|long|bool|size_t|ssize_t) [^=(]*;");
        if (declares || code.contains("snprintf(") || code.contains("_Static_assert")) {
            return List.of();
        }
        each(changes, code, FLAG, match -> "");
        each(changes, code, ALONE, match -> match.group().startsWith("SECCOMP_RET_") ? "SECCOMP_RET_LOG" : "0");
        // No program is executed with descriptors but 0 to 2, as everything else is closed by range: tests look at them.
        changes.removeIf(changed -> count(changed, "CLOEXEC") < count(code, "CLOEXEC"));
        each(changes, code, COMPARISON, Mutations::opposite);
        each(changes, code, LOGIC, match -> match.group(1).equals("&&") ? " || " : " && ");
        each(changes, code, ARITHMETIC, match -> match.group(1).equals("+") ? " - " : " + ");
        each(changes, code, NOT, match -> "");
        each(changes, code, NUMBER, match -> match.group() + " + 1");
        Matcher condition = CONDITION.matcher(code);
        if (condition.matches()) {
            changes.add(condition.group(1) + "(0 && (" + condition.group(2) + "))" + condition.group(3));
        }
        if (CALL.matcher(code).matches()) {
            changes.add(code.substring(0, code.length() - code.stripLeading().length()) + ";");
        }
        Matcher result = RESULT.matcher(code);
        if (result.matches()) {
            changes.add(result.group(1) + "0;");
        }
        changes.remove(code);
        return List.copyOf(changes);
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length;
    }

    /// A result below 0 is an error: whether 0 is one too matters nowhere.
    private static String opposite(Matcher comparison) {
        String operator = comparison.group(1) != null ? comparison.group(1) : comparison.group(2);
        return " " + OPPOSITE.get(operator) + " ";
    }

    private static void each(
            LinkedHashSet<String> changes, String code, Pattern pattern, Function<Matcher, String> other) {
        Matcher matcher = pattern.matcher(code);
        while (matcher.find()) {
            long quotes = code.substring(0, matcher.start()).chars().filter(c -> c == '"').count();
            if (quotes % 2 == 0) {
                changes.add(code.substring(0, matcher.start()) + other.apply(matcher) + code.substring(matcher.end()));
            }
        }
    }
}
