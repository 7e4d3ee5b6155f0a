"""Forms of signing in."""

from typing import Any

from clinic_tracker.queries.accounts import ClinicChoice
from clinic_tracker.web.forms import EmailField, Form, PasswordField, RadioField


class SignInForm(Form):
    """E-mail address and password."""

    email = EmailField("E-mail address", required="Enter your e-mail address.", autocomplete="username")
    password = PasswordField("Password", required="Enter your password.", autocomplete="current-password")


class ChangePasswordForm(Form):
    """The current password and a new one, typed twice."""

    current = PasswordField(
        "Current password", required="Enter your current password.", autocomplete="current-password"
    )
    new = PasswordField(
        "New password",
        required="Enter a new password.",
        autocomplete="new-password",
        hint="At least 12 characters. Several unrelated words are easy to remember and hard to guess.",
    )
    again = PasswordField("New password again", required="Type the new password again.", autocomplete="new-password")

    def validate_again(self, field: Any) -> None:
        """The two must be the same."""
        if field.data != self.new.data:
            raise ValueError("The two new passwords are not the same.")


class ChooseClinicForm(Form):
    """One of the person's clinics."""

    clinic = RadioField("Clinic", required="Choose a clinic.", choices=[])

    def offer(self, clinics: list[ClinicChoice]) -> None:
        """The clinics to choose from."""
        self.clinic.choices = [(clinic.slug, clinic.name) for clinic in clinics]
