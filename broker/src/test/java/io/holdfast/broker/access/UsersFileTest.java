package io.holdfast.broker.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UsersFileTest {
  /** Of "secret", as htpasswd -B makes it. */
  private static final String BCRYPT =
      "$2y$05$D.LPmq07FGbqQEYIbYRVPu7DMUB.nCj5UCjNiJG5HTXvfbHTcBUBu";

  private static final String TOKEN = SecretHash.ofToken("t".getBytes(StandardCharsets.UTF_8));

  @TempDir Path dir;
  private Path file;

  @BeforeEach
  void name() {
    file = dir.resolve("users");
  }

  private UsersFile<Role> open(String text) throws IOException {
    Files.writeString(file, text);
    return new UsersFile<>(file, Role::ofUser);
  }

  private void replace(String text) throws IOException {
    Path other = Files.writeString(dir.resolve("new"), text);
    Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void verifyingChangesNothing() throws IOException {
    UsersFile<Role> users = open("alice:" + BCRYPT + ":admin\n");
    replace("bob:" + BCRYPT + ":read\nx\n");
    String reason = assertThrows(IOException.class, users::verify).getMessage();
    assertEquals(file + ":2: not of the form name:HASH:...", reason);
    assertFalse(users.check());
    replace("bob:" + BCRYPT + ":read\n");
    users.verify();
    assertNull(users.users().named("bob"));
    assertEquals(0, users.reads());
    assertTrue(users.check());
    assertEquals(1, users.reads());
  }

  @Test
  void namesTokensAndComments() throws IOException {
    Users<Role> users =
        open("# people\n\n  alice:" + BCRYPT + ":admin\njob@1:" + TOKEN + ":publish\r\n").users();
    assertEquals(2, users.size());
    assertEquals(Role.ADMIN, users.named("alice").rights());
    assertEquals("job@1", users.holding("t".getBytes(StandardCharsets.UTF_8)).name());
    assertNull(users.holding("u".getBytes(StandardCharsets.UTF_8)));
    assertNull(users.named("bob"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "alice | not of the form name:HASH:...",
        "al ice:HASH:admin | the name is not 1 to 64 of A-Z a-z 0-9 . _ @ -",
        "alice:secret:admin | alice: the hash is neither bcrypt ($2a$, $2b$, $2y$) nor a token's 64"
            + " hex digits",
        "alice:HASH:root | the role is none of read, publish, admin",
        "alice:HASH:none | the role is none of read, publish, admin",
        "a:HASH:admin%a:HASH:read | the name a is there twice",
      })
  void aFaultIsNamedWithItsLineAndWithoutTheHash(String text, String reason) {
    String lines = text.replace("HASH", BCRYPT).replace("%", "\n");
    IOException e = assertThrows(IOException.class, () -> open("#\n" + lines + "\n"));
    int line = lines.contains("\n") ? 3 : 2;
    assertEquals(file + ":" + line + ": " + reason, e.getMessage());
    assertFalse(e.getMessage().contains(BCRYPT));
  }

  @Test
  void aFaultyOrMissingFileLeavesTheUsersAsTheyWere() throws IOException {
    UsersFile<Role> users = open("alice:" + BCRYPT + ":admin\n");
    assertFalse(users.check(), "nothing has changed");
    replace("alice:" + BCRYPT + ":admin\nbob:oops:read\n");
    assertFalse(users.check());
    Files.delete(file);
    assertFalse(users.check());
    assertEquals(1, users.users().size());
    replace("bob:" + BCRYPT + ":read\n");
    assertTrue(users.check());
    assertNull(users.users().named("alice"));
    assertEquals(Role.READ, users.users().named("bob").rights());
  }

  @Test
  void passwordsAsHtpasswdHashesThem() {
    SecretHash hash =
        SecretHash.parseOrNull("$2a$10$KBh9e3XFKui47lctCul46OQz8IDciqW9RerqvON8tNOg6ebS/AdXa");
    assertTrue(hash.isPassword("secret".getBytes(StandardCharsets.UTF_8)));
    assertFalse(hash.isPassword("Secret".getBytes(StandardCharsets.UTF_8)));
    assertFalse(hash.isPassword(new byte[100]), "longer than bcrypt takes");
    assertFalse(hash.isPassword(new byte[0]));
  }
}
