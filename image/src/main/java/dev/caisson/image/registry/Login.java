package dev.caisson.image.registry;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// A user and password, or a token that stands for both, for one registry. Its text shows neither.
///
/// @param user empty for an identity token
/// @param secret the password or the identity token
record Login(String user, String secret, boolean isIdentityToken) {
    /// Returns the value of an `Authorization` header, RFC 7617.
    String basic() {
        byte[] both = (user + ":" + secret).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(both);
    }

    @Override
    public String toString() {
        return "Login[" + (isIdentityToken ? "identity token" : user) + "]";
    }
}
