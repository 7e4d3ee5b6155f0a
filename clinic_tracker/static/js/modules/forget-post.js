// The history keeps the address of this page without what was sent to it: coming back never asks to send it again.
export default function forgetPost() {
  history.replaceState(history.state, "", location.href);
}
