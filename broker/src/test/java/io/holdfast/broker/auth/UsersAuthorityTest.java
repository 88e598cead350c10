package io.holdfast.broker.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.access.PasswordCheck;
import io.holdfast.broker.access.Users;
import io.holdfast.broker.auth.AuthSession.Verdict;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UsersAuthorityTest {
  /** Of "secret". */
  private static final String BCRYPT =
      "$2a$10$KBh9e3XFKui47lctCul46OQz8IDciqW9RerqvON8tNOg6ebS/AdXa";

  private static final String ALL =
      "[{\"topic\":\".*\",\"channels\":[\".*\"],\"permissions\":[\"subscribe\",\"publish\"]}]";

  @TempDir Path dir;
  private final AtomicLong now = new AtomicLong();
  private final PasswordCheck passwords = new PasswordCheck(System::nanoTime);
  private Users<Authorizations> users;

  @AfterEach
  void close() {
    passwords.close();
  }

  private void users(String... lines) throws IOException {
    Path file = Files.writeString(dir.resolve("users"), String.join("\n", lines));
    users = Users.read(file, Authorizations::parse);
  }

  private AuthSession session() {
    return new UsersAuthority(() -> users, passwords, null, now::get).newSession();
  }

  private static CompletableFuture<AuthState> auth(AuthSession session, String secret) {
    return session.authenticate(secret.getBytes(StandardCharsets.UTF_8), "1.2.3.4", false, "");
  }

  private static void assertRefused(CompletableFuture<AuthState> answer) {
    Throwable e = assertThrows(CompletionException.class, answer::join);
    assertInstanceOf(AuthException.class, e.getCause());
  }

  @Test
  void manyConnectionsOfOneUserShareALook() throws IOException {
    users("a:" + BCRYPT + ":" + ALL);
    List<CompletableFuture<AuthState>> right = new ArrayList<>();
    List<CompletableFuture<AuthState>> wrong = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      right.add(auth(session(), "a:secret"));
    }
    right.forEach(answer -> assertEquals("a", answer.join().identity()));
    for (int i = 0; i < 100; i++) {
      wrong.add(auth(session(), "a:wrong"));
    }
    wrong.forEach(UsersAuthorityTest::assertRefused);
  }

  @Test
  void whoIsUnknownIsRefused() throws IOException {
    users("a:" + BCRYPT + ":" + ALL);
    List.of(
            auth(session(), "b:secret"),
            auth(session(), "secret"),
            auth(session(), ":"),
            auth(session(), "a:" + "x".repeat(200)))
        .forEach(UsersAuthorityTest::assertRefused);
  }

  @Test
  void aChangeIsSeenAfterASecondWithoutThePassword() throws IOException {
    users("a:" + BCRYPT + ":" + ALL);
    AuthSession session = session();
    auth(session, "a:secret").join();
    assertEquals(Verdict.ALLOWED, session.check("t", "", Permission.PUBLISH).join());
    users("a:" + BCRYPT + ":" + ALL.replace(",\"publish\"", ""));
    assertFalse(session.isRecheckDue());
    now.addAndGet(1_000_000_000L);
    assertTrue(session.isRecheckDue());
    assertTrue(session.check("t", "", Permission.PUBLISH).isDone(), "no password is looked at");
    assertEquals(Verdict.UNAUTHORIZED, session.check("t", "", Permission.PUBLISH).join());
    now.addAndGet(1_000_000_000L);
    assertEquals(Verdict.ALLOWED, session.recheck("t", "c"));
    users("b:" + BCRYPT + ":" + ALL);
    now.addAndGet(1_000_000_000L);
    assertEquals(Verdict.AUTH_FAILED, session.recheck("t", "c"));
    assertEquals(Verdict.AUTH_FAILED, session.check("t", "", Permission.PUBLISH).join());
  }

  @Test
  void faultsAreNamedAndNothingMayBeLeftOut() {
    String[][] faults = {
      {"admin", "the authorizations are no JSON: "},
      {"", "the authorizations are no JSON list"},
      {"{}", "the authorizations are no JSON list"},
      {"[1]", "authorization is not a JSON object"},
      {ALL + "x", "the authorizations are no JSON: "},
      {ALL.replace("topic", "topics"), "an authorization without topic"},
      {ALL.replace("channels", "channel"), "an authorization without channels"},
      {ALL.replace("publish", "own"), "unknown permission own"},
      {ALL.replace("\".*\",", "\"(\","), "unable to compile topic ("},
    };
    for (String[] fault : faults) {
      IOException e = assertThrows(IOException.class, () -> users("a:" + BCRYPT + ":" + fault[0]));
      String expected = dir.resolve("users") + ":1: " + fault[1];
      assertTrue(e.getMessage().startsWith(expected), e.getMessage());
    }
  }
}
