package dev.caisson.secret;

import dev.caisson.secret.SecretException.Code;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;

/// The address of one field of a secret in the key-value store, version 2, of a Vault or OpenBao server.
///
/// @param path of the HTTP API, from the mount on, as `secret/data/app`, with `?version=N` for one that is not the last
record VaultField(String host, int port, String path, String field) {
    private static final int USUAL_PORT = 8200;
    private static final int MOST_PORT = 65_535;
    private static final int MOST_TEXT = 2048;
    private static final int OK = 200;
    private static final String PART = "[A-Za-z0-9_~@:+-][A-Za-z0-9._~@:+-]*"; // not "." nor ".."
    private static final Pattern ADDRESS = Pattern.compile("vault://([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)"
            + "(?::([0-9]{1,5}))?/((?:" + PART + "/)+data(?:/" + PART + ")+(?:\\?version=[1-9][0-9]{0,8})?)"
            + "#([^\\p{Cntrl}]{1,256})");

    /// Reads `vault://HOST[:PORT]/MOUNT/data/PATH[?version=N]#FIELD`. The error does not repeat the text.
    /// @throws SecretException SECRET_INVALID
    static VaultField parse(String text) {
        Matcher address = ADDRESS.matcher(text.length() > MOST_TEXT ? "" : text);
        if (address.matches()) {
            String port = address.group(2);
            int number = port == null ? USUAL_PORT : Integer.parseInt(port);
            if (number >= 1 && number <= MOST_PORT) {
                return new VaultField(address.group(1), number, address.group(3), address.group(4));
            }
        }
        throw SecretException.invalid(
                "a source of Vault is vault://HOST[:PORT]/MOUNT/data/PATH[?version=N]#FIELD, with the"
                        + " path of the API of the key-value store version 2, as vault://vault.example.com/secret/data/app#password");
    }

    /// Asks the server for it.
    ///
    /// @param token which is not sent before the server has shown a certificate that `trust` vouches for
    /// @throws SecretException SECRET_SOURCE, SECRET_INVALID
    SecretValue read(SecretValue token, SSLContext trust, Duration patience) {
        byte[] request = request(token);
        try (HttpsAnswer answer = HttpsAnswer.to(InetAddress::getAllByName, host, port, request, trust, patience)) {
            if (answer.status() != OK) {
                throw failed(refusal(answer.status()));
            }
            return JsonField.text(answer.body(), List.of("data", "data", field))
                    .orElseThrow(() -> failed("the secret has no field of this name that is a text"));
        } catch (IOException e) {
            throw new SecretException(Code.SECRET_SOURCE, sentence(String.valueOf(e.getMessage())), e);
        } catch (JsonField.Malformed e) {
            throw new SecretException(Code.SECRET_SOURCE, sentence("its answer is no JSON"), e);
        } finally {
            Arrays.fill(request, (byte) 0);
        }
    }

    private static String refusal(int status) {
        return "it answered " + status
                + switch (status) {
                    case 307, 308 -> ", to ask another server: name the active one";
                    case 403 -> ": the token has expired, or its policies do not have read on this path";
                    case 404 ->
                        ": there is no such secret or version, it was deleted, or the mount is not of version 2";
                    case 503 -> ": it is sealed or in maintenance";
                    default -> ": look into its log";
                };
    }

    private SecretException failed(String why) {
        return new SecretException(Code.SECRET_SOURCE, sentence(why));
    }

    private String sentence(String why) {
        return "vault://" + host + ":" + port + "/" + path + " gave no value (" + why + "): the store is as it was";
    }

    /// Returns the head of the request, without the token passing a text.
    private byte[] request(SecretValue token) {
        byte[] secret = token.copy();
        try {
            for (byte one : secret) {
                if (one <= ' ' || one > '~') {
                    throw SecretException.invalid("the token for " + host
                            + " has a space, a control character or one that is not ASCII:" + " give the token alone");
                }
            }
            byte[] start = ("GET /v1/" + path + " HTTP/1.1\r\nHost: " + host + ":" + port
                            + "\r\nAccept: application/json\r\nConnection: close\r\nX-Vault-Request: true\r\nX-Vault-Token: ")
                    .getBytes(StandardCharsets.US_ASCII);
            byte[] request = Arrays.copyOf(start, start.length + secret.length + 4);
            System.arraycopy(secret, 0, request, start.length, secret.length);
            System.arraycopy(new byte[] {'\r', '\n', '\r', '\n'}, 0, request, start.length + secret.length, 4);
            return request;
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }
}
