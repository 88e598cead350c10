/**
 * The AUTH command's other half (contract §1.7): asks who says what a secret may do ({@link
 * io.holdfast.broker.auth.Authority}: a users file, auth servers), keeps the answer per connection
 * ({@link io.holdfast.broker.auth.AuthSession}) and judges commands by it ({@link
 * io.holdfast.broker.auth.AuthState}).
 */
package io.holdfast.broker.auth;
