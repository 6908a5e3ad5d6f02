package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.secret.SecretName;
import dev.caisson.text.Quoted;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A secret of the store that a container uses and never has: it is put into the container's requests to one host,
/// outside of the container. A spec has its name alone.
///
/// @param secret the name in the store
/// @param host in lower case, without a last dot
/// @param port where the host speaks HTTPS
/// @param place of the value in a request
/// @param rules say which requests pass
public record Gate(SecretName secret, String host, int port, Place place, GateRules rules) {
    /// The place of a value in a request. What the program itself sends there is replaced.
    public sealed interface Place {
        /// Returns it as [#parse] reads it.
        String text();

        /// Returns what two secrets of one host cannot share.
        String slot();

        /// Reads `bearer`, `basic`, `basic:USER`, `header:NAME`, `query:NAME`, `placeholder:TEXT` or
        /// `placeholder:TEXT@HEADER`.
        static Place parse(String text) {
            String[] parts = present(text, "text").split(":", 2);
            String rest = parts.length < 2 ? "" : parts[1];
            return switch (parts[0]) {
                case "basic" -> new Basic(rest);
                case "header" -> new Header(rest);
                case "query" -> new Query(rest);
                case "placeholder" -> Placeholder.parse(rest);
                default -> {
                    if (!text.equals("bearer")) {
                        throw ArgumentException.invalid(
                                Quoted.of(text) + " is no place for a secret: give bearer, basic,"
                                        + " basic:USER, header:NAME, query:NAME or placeholder:TEXT");
                    }
                    yield new Bearer();
                }
            };
        }
    }

    /// `Authorization: Bearer VALUE`.
    public record Bearer() implements Place {
        @Override
        public String text() {
            return "bearer";
        }

        @Override
        public String slot() {
            return AUTHORIZATION;
        }
    }

    /// `Authorization: Basic …` with a user and the value as password.
    ///
    /// @param user empty if the value is `USER:PASSWORD` itself
    public record Basic(String user) implements Place {
        private static final Pattern USER = Pattern.compile("[!-+\\--9;-~]{0,128}");

        public Basic {
            if (!USER.matcher(present(user, "user")).matches()) {
                throw ArgumentException.invalid(
                        Quoted.of(user) + " is not a user of basic:USER: give printable letters without ':' and ','");
            }
        }

        @Override
        public String text() {
            return user.isEmpty() ? "basic" : "basic:" + user;
        }

        @Override
        public String slot() {
            return AUTHORIZATION;
        }
    }

    /// A header field that has the value alone.
    public record Header(String name) implements Place {
        private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}");
        /// Fields that say where a request goes and where it ends.
        private static final Set<String> FRAMING = Set.of(
                "accept-encoding",
                "connection",
                "content-encoding",
                "content-length",
                "expect",
                "host",
                "keep-alive",
                "proxy-authorization",
                "proxy-connection",
                "te",
                "trailer",
                "transfer-encoding",
                "upgrade");

        public Header {
            requireName(present(name, "name"));
        }

        private static void requireName(String name) {
            if (!TOKEN.matcher(name).matches()
                    || FRAMING.contains(name.toLowerCase(Locale.ROOT).replace('_', '-'))) {
                throw ArgumentException.invalid(Quoted.of(name)
                        + " is not a header for a secret: give a name as X-Api-Key, and none that frames requests");
            }
        }

        @Override
        public String text() {
            return "header:" + name;
        }

        @Override
        public String slot() {
            return slot(name);
        }

        /// Returns the name as servers read it that hand fields on as variables.
        private static String slot(String name) {
            return name.toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// A parameter of the request's address. Servers write addresses into their logs: use it for those that take
    /// nothing else.
    public record Query(String name) implements Place {
        private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._~-]{1,64}");

        public Query {
            if (!NAME.matcher(present(name, "name")).matches()) {
                throw ArgumentException.invalid(Quoted.of(name)
                        + " is not a parameter for a secret: give 1 to 64 letters, digits, '.', '_', '~'" + " or '-'");
            }
        }

        @Override
        public String text() {
            return "query:" + name;
        }

        /// Returns the same for all: an address has one secret.
        @Override
        public String slot() {
            return "?";
        }
    }

    /// In place of a text that the program has instead of the value, wherever it stands in one header field, also in
    /// the user and password of `Authorization: Basic`. For programs that look at what they send.
    ///
    /// @param mark the text that stands for the value
    /// @param header in which it is looked for
    public record Placeholder(String mark, String header) implements Place {
        private static final Pattern MARK = Pattern.compile("[A-Za-z0-9._~+/=-]{8,256}");
        private static final String USUAL = "Authorization";

        public Placeholder {
            if (!MARK.matcher(present(mark, "mark")).matches()) {
                throw ArgumentException.invalid(
                        Quoted.of(mark) + " is not the text of a placeholder: give 8 to 256 letters,"
                                + " digits, '.', '_', '~', '+', '/', '=' or '-'");
            }
            Header.requireName(present(header, "header"));
        }

        private static Placeholder parse(String text) {
            int at = text.indexOf('@');
            return at < 0
                    ? new Placeholder(text, USUAL)
                    : new Placeholder(text.substring(0, at), text.substring(at + 1));
        }

        @Override
        public String text() {
            return "placeholder:" + mark + (header.equals(USUAL) ? "" : "@" + header);
        }

        @Override
        public String slot() {
            return Header.slot(header);
        }
    }

    private static final String AUTHORIZATION = "authorization";

    private static final int PARTS = 3;
    private static final String METHOD = ",method=";
    private static final String PATH = ",path=";

    /// The file with the certificates that a container with gates trusts.
    public static final InRootPath CERTIFICATES = InRootPath.of("run/caisson/ca-certificates.crt");

    /// The port of HTTPS.
    public static final int HTTPS = 443;

    /// @throws ArgumentException ARGUMENT_INVALID
    public Gate {
        present(secret, "secret");
        present(place, "place");
        present(rules, "rules");
        new Destination.Name(present(host, "host"), false, port, Transport.TCP); // which checks both
    }

    /// Returns a gate that has no host yet; see [Unplaced#to].
    public static Unplaced of(String secret) {
        return new Unplaced(new SecretName(present(secret, "secret")));
    }

    /// A secret that is to go to a host.
    public record Unplaced(SecretName secret) {
        public Unplaced {
            present(secret, "secret");
        }

        /// Names the host, and its port if that is not 443, as `api.example.com:8443`. The value goes there as a bearer
        /// token, unless said otherwise.
        public Gate to(String host) {
            String text = present(host, "host").toLowerCase(Locale.ROOT);
            if (!(Destination.parse(text.contains(":") ? text : text + ":" + HTTPS) instanceof Destination.Name name)
                    || name.below()
                    || name.transport() != Transport.TCP) {
                throw ArgumentException.invalid(
                        Quoted.of(host) + " is not the host of a gate: give one name, and its port if that is not 443");
            }
            return new Gate(secret, name.name(), name.port(), new Bearer(), GateRules.ALL);
        }
    }

    public Gate asBearer() {
        return as(new Bearer());
    }

    /// The value is the password of this user; empty for a value that is `USER:PASSWORD` itself.
    public Gate asBasic(String user) {
        return as(new Basic(user));
    }

    public Gate asHeader(String name) {
        return as(new Header(name));
    }

    public Gate asQuery(String name) {
        return as(new Query(name));
    }

    /// The value takes the place of this text in the field `Authorization`.
    public Gate asPlaceholder(String mark) {
        return as(new Placeholder(mark, Placeholder.USUAL));
    }

    /// Adds methods, as `GET`: requests with another one are refused.
    public Gate methods(String... more) {
        return rules(new GateRules(joined(rules.methods(), more), rules.paths()));
    }

    /// Adds paths, as `/v1/*`: requests with another one are refused.
    public Gate paths(String... more) {
        return rules(new GateRules(rules.methods(), joined(rules.paths(), more)));
    }

    private static List<String> joined(List<String> former, String... more) {
        return Stream.concat(
                        former.stream(),
                        Arrays.stream(present(more, "more")).map(one -> present(one, "an element of more")))
                .toList();
    }

    /// Replaces the rules.
    public Gate rules(GateRules value) {
        return new Gate(secret, host, port, place, value);
    }

    /// Replaces the place.
    public Gate as(Place value) {
        return new Gate(secret, host, port, value, rules);
    }

    /// Returns the host with its port, as `api.example.com:443`.
    public String target() {
        return host + ":" + port;
    }

    /// True if a list of destinations has its host and port.
    public boolean isOn(Egress egress) {
        return egress instanceof Egress.Listed listed
                && listed.of(host).stream().anyMatch(one -> one.port() == port && one.transport() == Transport.TCP);
    }

    /// Returns a network with this gate too.
    Network in(Network network) {
        if (!(network instanceof Network.Joined joined) || !isOn(joined.egress())) {
            throw ArgumentException.invalid("secret " + secret + " has a gate to " + target()
                    + ", which is not on a list of what the network may send to: set a network before, as"
                    + " Network.on(\"web\").egress(Egress.only(\"" + target() + "\"))");
        }
        return joined.gates(More.plus(joined.gates(), this));
    }

    /// Returns it as [#parse] reads it.
    public String text() {
        var text = new StringBuilder(secret + "," + target() + "," + place.text());
        rules.methods().forEach(one -> text.append(METHOD).append(one));
        rules.paths().forEach(one -> text.append(PATH).append(one));
        return text.toString();
    }

    /// Reads what [#text] returns.
    public static Gate parse(String text) {
        String[] parts = present(text, "text").split(",", -1);
        if (parts.length < PARTS) {
            throw malformed(text);
        }
        Gate gate = of(parts[0]).to(parts[1]).as(Place.parse(parts[2]));
        for (String rule : Arrays.asList(parts).subList(PARTS, parts.length)) {
            if (("," + rule).startsWith(METHOD)) {
                gate = gate.methods(rule.substring(METHOD.length() - 1));
            } else if (("," + rule).startsWith(PATH)) {
                gate = gate.paths(rule.substring(PATH.length() - 1));
            } else {
                throw malformed(text);
            }
        }
        return gate;
    }

    private static ArgumentException malformed(String text) {
        return ArgumentException.invalid(
                Quoted.of(text)
                        + " is not a gate: give SECRET,HOST:PORT,PLACE and, for some requests alone, method=GET and path=/v1/*");
    }
}
