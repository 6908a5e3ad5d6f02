package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.secret.SecretName;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// A secret of the store that a container uses and never has: it is put into the container's requests to one host,
/// outside of the container. A spec has its name alone.
///
/// @param secret the name in the store
/// @param host in lower case, without a last dot
/// @param port where the host speaks HTTPS
/// @param place of the value in a request
public record Gate(SecretName secret, String host, int port, Place place) {
    /// The place of a value in a request. What the program itself sends there is replaced.
    public sealed interface Place {
        /// Returns it as [#parse] reads it.
        String text();

        /// Returns what two secrets of one host cannot share.
        String slot();

        /// Reads `bearer`, `basic`, `basic:USER`, `header:NAME` or `query:NAME`.
        static Place parse(String text) {
            String[] parts = present(text, "text").split(":", 2);
            String rest = parts.length < 2 ? "" : parts[1];
            return switch (parts[0]) {
                case "basic" -> new Basic(rest);
                case "header" -> new Header(rest);
                case "query" -> new Query(rest);
                default -> {
                    if (!text.equals("bearer")) {
                        throw ArgumentException.invalid("\"" + text + "\" is no place for a secret: give bearer, basic,"
                                + " basic:USER, header:NAME or query:NAME");
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
                        "\"" + user + "\" is not a user of basic:USER: give printable letters without ':' and ','");
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
            if (!TOKEN.matcher(present(name, "name")).matches()
                    || FRAMING.contains(name.toLowerCase(Locale.ROOT).replace('_', '-'))) {
                throw ArgumentException.invalid("\"" + name
                        + "\" is not a header for a secret: give a name as X-Api-Key, and none that frames requests");
            }
        }

        @Override
        public String text() {
            return "header:" + name;
        }

        /// Returns the name as servers read it that hand fields on as variables.
        @Override
        public String slot() {
            return name.toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// A parameter of the request's address. Servers write addresses into their logs: use it for those that take
    /// nothing else.
    public record Query(String name) implements Place {
        private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._~-]{1,64}");

        public Query {
            if (!NAME.matcher(present(name, "name")).matches()) {
                throw ArgumentException.invalid(
                        "\"" + name + "\" is not a parameter for a secret: give 1 to 64 letters, digits, '.', '_', '~'"
                                + " or '-'");
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

    private static final String AUTHORIZATION = "authorization";

    /// The file with the certificates that a container with gates trusts.
    public static final InRootPath CERTIFICATES = InRootPath.of("run/caisson/ca-certificates.crt");

    /// The port of HTTPS.
    public static final int HTTPS = 443;

    /// @throws ArgumentException ARGUMENT_INVALID
    public Gate {
        present(secret, "secret");
        present(place, "place");
        new Destination.Name(present(host, "host"), false, port, Transport.TCP); // which checks both
    }

    /// Returns a gate that has no host yet; see [Unplaced#to].
    public static Unplaced of(String secret) {
        return new Unplaced(new SecretName(secret));
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
                        "\"" + host + "\" is not the host of a gate: give one name, and its port if that is not 443");
            }
            return new Gate(secret, name.name(), name.port(), new Bearer());
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

    /// Replaces the place.
    public Gate as(Place value) {
        return new Gate(secret, host, port, value);
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

    /// Returns it as [#parse] reads it.
    public String text() {
        return secret + "," + target() + "," + place.text();
    }

    /// Reads what [#text] returns.
    public static Gate parse(String text) {
        String[] parts = present(text, "text").split(",", 3);
        if (parts.length < 3) {
            throw ArgumentException.invalid("\"" + text + "\" is not a gate: give SECRET,HOST:PORT,PLACE");
        }
        return of(parts[0]).to(parts[1]).as(Place.parse(parts[2]));
    }
}
