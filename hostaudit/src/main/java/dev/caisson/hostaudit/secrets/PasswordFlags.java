package dev.caisson.hostaudit.secrets;

import dev.caisson.audit.Secrets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Passwords that well-known programs take by flags which are not called like one, found while the words of a command
/// line are read one after the other.
final class PasswordFlags {
    /// @param joined whether the password may stand right behind the flag
    /// @param next whether it may be the next word
    /// @param pair whether a name and a colon stand before it
    private record Flags(List<String> names, boolean joined, boolean next, boolean pair) {}

    private static final Map<String, Flags> PROGRAMS = programs();

    private static final Pattern SEVERAL = Pattern.compile("-[A-Za-z]{1,20}");

    private Optional<Flags> flags = Optional.empty();
    private boolean expected;

    private static Map<String, Flags> programs() {
        Map<String, Flags> all = new HashMap<>();
        add(
                all,
                new Flags(List.of("-p"), true, false, false),
                "mysql mysqladmin mysqlcheck mysqldump mysqlimport mysqlshow"
                        + " mariadb mariadb-admin mariadb-check mariadb-dump mariadb-import mariadb-show");
        add(all, new Flags(List.of("-p"), true, true, false), "sshpass");
        add(
                all,
                new Flags(List.of("-p"), false, true, false),
                "mongo mongosh mongodump mongorestore mongoexport mongoimport");
        add(all, new Flags(List.of("-a"), false, true, false), "redis-cli valkey-cli");
        add(
                all,
                new Flags(List.of("-w"), true, true, false),
                "ldapsearch ldapmodify ldapadd ldapdelete ldappasswd ldapwhoami");
        add(all, new Flags(List.of("-P"), true, true, false), "sqlcmd bcp");
        add(all, new Flags(List.of("-P"), false, true, false), "mosquitto_pub mosquitto_sub");
        add(all, new Flags(List.of("-u", "-U", "--user", "--proxy-user"), true, true, true), "curl");
        add(all, new Flags(List.of("--creds", "--src-creds", "--dest-creds"), true, true, true), "skopeo");
        // what sshpass starts has flags of its own
        add(
                all,
                new Flags(List.of(), false, false, false),
                "ssh scp sftp rsync ssh-copy-id git ansible ansible-playbook");
        return Map.copyOf(all);
    }

    private static void add(Map<String, Flags> all, Flags flags, String programs) {
        for (String program : programs.split(" ", -1)) {
            all.put(program, flags);
        }
    }

    /// Returns the index in the next word at which a password starts, or -1.
    int startIn(String word) {
        int start = flags.map(known -> start(known, word)).orElse(-1);
        expected = flags.filter(known -> known.next() && isFlag(known, word)).isPresent();
        if (start < 0) {
            Optional<Flags> program = Optional.ofNullable(PROGRAMS.get(word.substring(word.lastIndexOf('/') + 1)));
            flags = program.or(() -> flags);
            return -1;
        }
        String value = word.substring(start);
        return Secrets.isSecretValue(value) && !value.startsWith("`") ? start : -1;
    }

    /// Another command follows.
    void end() {
        flags = Optional.empty();
        expected = false;
    }

    /// Also as the last of several flags in one word.
    private static boolean isFlag(Flags known, String word) {
        return known.names().contains(word)
                || (known.pair()
                        && SEVERAL.matcher(word).matches()
                        && known.names().contains("-" + word.charAt(word.length() - 1)));
    }

    private int start(Flags known, String word) {
        if (expected && !word.startsWith("-")) {
            return known.pair() ? afterColon(word, 0) : 0;
        }
        for (String name : known.names()) {
            String lead = name.startsWith("--") ? name + "=" : name;
            if (known.joined() && word.startsWith(lead) && word.length() > lead.length()) {
                return known.pair() ? afterColon(word, lead.length()) : lead.length();
            }
        }
        return -1;
    }

    private static int afterColon(String word, int from) {
        int colon = word.indexOf(':', from);
        return colon > from ? colon + 1 : -1;
    }
}
