package io.holdfast.broker.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.access.HttpAccess.Decision;
import io.holdfast.broker.access.HttpAccess.Shown;
import io.holdfast.broker.access.HttpAccess.Verdict;
import io.holdfast.broker.access.Role.Right;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpAccessTest {
  /** Of "secret". */
  private static final String BCRYPT =
      "$2a$10$KBh9e3XFKui47lctCul46OQz8IDciqW9RerqvON8tNOg6ebS/AdXa";

  @TempDir Path dir;
  private final AtomicLong laterNs = new AtomicLong();
  private volatile Users<Role> users;
  private HttpAccess access;

  @AfterEach
  void close() {
    if (access != null) {
      access.close();
    }
  }

  private HttpAccess access(Role anonymous) throws IOException {
    users =
        read(
            "alice:"
                + BCRYPT
                + ":admin\nreader:"
                + BCRYPT
                + ":read\njob:"
                + hash("t")
                + ":publish");
    access = new HttpAccess(() -> users, anonymous, () -> System.nanoTime() + laterNs.get());
    return access;
  }

  private Users<Role> read(String text) throws IOException {
    Path file = Files.writeString(dir.resolve("users"), text);
    return Users.read(file, Role::ofUser);
  }

  private static String hash(String token) {
    return SecretHash.ofToken(token.getBytes(StandardCharsets.UTF_8));
  }

  private static String basic(String pair) {
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }

  private String decide(Right right, String authorization, String session) throws Exception {
    CompletableFuture<Decision> decision = new CompletableFuture<>();
    access.decide(right, new Shown(authorization, session, "10.0.0.1"), decision::complete);
    Decision made = decision.get(20, TimeUnit.SECONDS);
    return made.verdict() + " " + made.user();
  }

  @Test
  void rolesMayWhatTheTableSays() {
    String table = "";
    for (Role role : Role.values()) {
      for (Right right : Right.values()) {
        table += role.may(right) ? "y" : "n";
      }
      table += " ";
    }
    // Rights: open, publish, read, admin. Roles: none, publish, read, admin.
    assertEquals("ynnn yynn ynyn yyyy ", table);
  }

  @Test
  void withoutCredentialsAnonymousDecides() throws Exception {
    access(Role.PUBLISH);
    assertEquals("ALLOWED anonymous", decide(Right.PUBLISH, null, null));
    assertEquals("UNAUTHORIZED anonymous", decide(Right.READ, null, null));
    assertEquals("ALLOWED anonymous", decide(Right.OPEN, basic("alice:wrong"), null));
  }

  @Test
  void rightOnesAreEnoughOrForbidden() throws Exception {
    access(Role.NONE);
    assertEquals("ALLOWED alice", decide(Right.ADMIN, basic("alice:secret"), null));
    assertEquals("FORBIDDEN reader", decide(Right.ADMIN, basic("reader:secret"), null));
    assertEquals("ALLOWED job", decide(Right.PUBLISH, "bearer t", null));
    assertEquals("FORBIDDEN job", decide(Right.READ, "Bearer t", null));
  }

  @Test
  void wrongOnesAreRefusedAfterASecondAlsoWhereNoneWouldDo() throws Exception {
    access(Role.ADMIN);
    assertFalse(access.isOpen());
    for (String wrong :
        new String[] {
          basic("alice:x"), basic("nobody:secret"), "Bearer u", "Digest x", "Basic %"
        }) {
      long startNs = System.nanoTime();
      assertEquals("UNAUTHORIZED anonymous", decide(Right.READ, wrong, null));
      assertTrue(System.nanoTime() - startNs >= 990_000_000L, wrong);
    }
  }

  @Test
  void twentyOfOneAddressWait() throws Exception {
    access(Role.ADMIN);
    CompletableFuture<Decision> last = new CompletableFuture<>();
    for (int i = 0; i < 20; i++) {
      access.decide(Right.READ, new Shown("Bearer u", null, "10.0.0.2"), decision -> {});
    }
    access.decide(Right.READ, new Shown("Bearer u", null, "10.0.0.2"), last::complete);
    assertEquals(Verdict.TOO_MANY, last.get(1, TimeUnit.SECONDS).verdict());
    assertEquals("ALLOWED job", decide(Right.PUBLISH, "Bearer t", null));
  }

  @Test
  void aSessionLastsTwelveHoursAndNoLongerThanItsUser() throws Exception {
    access(Role.NONE);
    String token = begin("alice", "secret");
    assertNotNull(token);
    assertEquals("ALLOWED alice", decide(Right.ADMIN, null, token));
    assertEquals("UNAUTHORIZED anonymous", decide(Right.ADMIN, null, "other"));
    users = read("alice:" + BCRYPT + ":read");
    assertEquals("UNAUTHORIZED anonymous", decide(Right.READ, null, token), "another role");
    token = begin("alice", "secret");
    laterNs.set(TimeUnit.HOURS.toNanos(12));
    assertEquals("UNAUTHORIZED anonymous", decide(Right.READ, null, token));
    token = begin("alice", "secret");
    access.endSession(token);
    assertEquals("UNAUTHORIZED anonymous", decide(Right.READ, null, token));
    assertNull(begin("alice", "wrong"));
  }

  private String begin(String name, String password) throws Exception {
    CompletableFuture<String> begun = new CompletableFuture<>();
    access.beginSession(name, password, "10.0.0.1", (token, verdict) -> begun.complete(token));
    return begun.get(20, TimeUnit.SECONDS);
  }

  @Test
  void anotherPasswordEndsWhatWasRemembered() throws Exception {
    access(Role.NONE);
    assertEquals("ALLOWED alice", decide(Right.ADMIN, basic("alice:secret"), null));
    users = read("alice:" + hash("x") + ":admin");
    assertEquals("UNAUTHORIZED anonymous", decide(Right.ADMIN, basic("alice:secret"), null));
  }
}
