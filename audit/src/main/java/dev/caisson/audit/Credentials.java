package dev.caisson.audit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Finds credentials among the words of a command line: values of options and variables with a telling name, and those
/// that well-known programs take under short options.
final class Credentials {
    /// @param index of the word that holds it
    /// @param name of the option or variable
    /// @param value the secret itself; never to be shown whole
    record Credential(int index, String name, String value) {}

    /// Options whose next word is a password, by program.
    private static final Map<Set<String>, Set<String>> SEPARATE = Map.ofEntries(
            Map.entry(Set.of("redis-cli", "valkey-cli"), Set.of("-a", "--pass")),
            Map.entry(Set.of("redis-server", "valkey-server", "redis-sentinel"), Set.of("--masterauth")),
            Map.entry(
                    Set.of("mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"),
                    Set.of("-p")),
            Map.entry(Set.of("ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami", "ldappasswd"), Set.of("-w")),
            Map.entry(Set.of("sqlcmd", "bcp"), Set.of("-P")),
            Map.entry(Set.of("mosquitto_pub", "mosquitto_sub"), Set.of("-P")),
            Map.entry(Set.of("sshpass"), Set.of("-p")),
            Map.entry(Set.of("docker", "podman", "skopeo", "helm", "oc", "az", "crane"), Set.of("-p")),
            Map.entry(Set.of("keytool", "jarsigner"), Set.of("-storepass", "-keypass")),
            Map.entry(Set.of("vault", "consul"), Set.of("-token")));

    /// Options that a password is written right behind, by program.
    private static final Map<Set<String>, String> ATTACHED = Map.of(
            Set.of(
                    "mysql",
                    "mysqladmin",
                    "mysqldump",
                    "mysqlimport",
                    "mysqlshow",
                    "mysqlcheck",
                    "mariadb",
                    "mariadb-admin",
                    "mariadb-dump",
                    "mariadb-check"),
            "-p",
            Set.of("sshpass"),
            "-p",
            Set.of("sqlcmd", "bcp"),
            "-P",
            Set.of("7z", "7za", "7zr"),
            "-p");

    /// Options whose value is a name and a password.
    private static final Map<Set<String>, Set<String>> PAIRS = Map.of(
            Set.of("curl", "http", "https"), Set.of("-u", "--user", "-U", "--proxy-user", "-a", "--auth"),
            Set.of("smbclient", "rpcclient"), Set.of("-U", "--user"),
            Set.of("skopeo"), Set.of("--creds", "--src-creds", "--dest-creds"));

    private static final Set<String> LOGIN_PROGRAMS = Set.of("docker", "podman", "skopeo", "helm", "oc", "az", "crane");

    private Credentials() {}

    /// All of a command line, each word at most once.
    /// @param words the program first; may be without one, as Kubernetes' `args`
    static List<Credential> in(List<String> words) {
        var found = new ArrayList<Credential>();
        String program = words.isEmpty()
                ? ""
                : words.getFirst().substring(words.getFirst().lastIndexOf('/') + 1);
        for (int at = 0; at < words.size(); at++) {
            Optional<Credential> credential = named(words, at);
            if (credential.isEmpty() && at > 0) {
                credential = ofProgram(program, words, at);
            }
            credential
                    .filter(known -> found.stream().noneMatch(other -> other.index() == known.index()))
                    .ifPresent(found::add);
        }
        return found;
    }

    /// `--password=X`, `--password X`, `PASSWORD=X`.
    private static Optional<Credential> named(List<String> words, int at) {
        String word = words.get(at);
        int equals = word.indexOf('=');
        if (equals > 0) {
            String name = word.substring(0, equals).replaceFirst("^-+", "");
            boolean plain = name.matches("[A-Za-z_][A-Za-z0-9_.-]*");
            return plain && isSecretName(name) ? credential(at, name, word.substring(equals + 1)) : Optional.empty();
        }
        boolean option = word.matches("--?[A-Za-z][A-Za-z0-9_.-]{2,}");
        return option
                        && isSecretName(word.replaceFirst("^-+", ""))
                        && at + 1 < words.size()
                        && !words.get(at + 1).startsWith("-")
                ? credential(at + 1, word, words.get(at + 1))
                : Optional.empty();
    }

    private static Optional<Credential> ofProgram(String program, List<String> words, int at) {
        String word = words.get(at);
        String before = words.get(at - 1);
        for (Map.Entry<Set<String>, Set<String>> entry : SEPARATE.entrySet()) {
            boolean login = !LOGIN_PROGRAMS.contains(program) || words.contains("login");
            if (entry.getKey().contains(program) && entry.getValue().contains(before) && login) {
                return word.startsWith("-") ? Optional.empty() : credential(at, before, word);
            }
        }
        for (Map.Entry<Set<String>, String> entry : ATTACHED.entrySet()) {
            String option = entry.getValue();
            if (entry.getKey().contains(program) && word.startsWith(option) && word.length() > option.length()) {
                return credential(at, option, word.substring(option.length()));
            }
        }
        for (Map.Entry<Set<String>, Set<String>> entry : PAIRS.entrySet()) {
            int separator = Math.max(word.indexOf(':'), word.indexOf('%'));
            if (entry.getKey().contains(program) && entry.getValue().contains(before) && separator > 0) {
                return credential(at, before, word.substring(separator + 1));
            }
        }
        return program.equals("openssl") && before.matches("-pass(?:in|out)?") && word.startsWith("pass:")
                ? credential(at, before, word.substring("pass:".length()))
                : Optional.empty();
    }

    private static boolean isSecretName(String name) {
        String flat = name.replaceFirst("^-+", "").replace('-', '_').replace('.', '_');
        return Secrets.isSecretName(flat) || flat.equalsIgnoreCase("masterauth");
    }

    /// Returns nothing for a value that the shell or the orchestrator puts in later.
    private static Optional<Credential> credential(int index, String name, String value) {
        boolean literal = value.indexOf('$') < 0 && value.indexOf('`') < 0 && value.indexOf("{{") < 0;
        return literal && value.length() > 2 && Secrets.isSecretValue(value)
                ? Optional.of(new Credential(index, name, value))
                : Optional.empty();
    }
}
