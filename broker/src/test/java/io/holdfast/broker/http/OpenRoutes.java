package io.holdfast.broker.http;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.Role;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Events;

/** Routes for everybody. */
final class OpenRoutes {
  private OpenRoutes() {}

  static HttpApi.Routes create() {
    HttpAccess access = new HttpAccess(null, Role.ADMIN, System::nanoTime);
    Guarded guarded = new Guarded(access, new Audit(new Events()));
    return new HttpApi.Routes(guarded, new AtLeader(null, guarded, new Workers(Runnable::run)));
  }
}
