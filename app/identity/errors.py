"""Why somebody is not let in, in the words they read. The code of each is also what the audit keeps."""

from __future__ import annotations

from app.kernel.errors import DomainError, Unavailable


class SignInRefused(DomainError):
    """Somebody proved who they are and still may not enter here."""

    status = 403


class NotAMember(SignInRefused):
    code = "not-a-member"
    title = "Tu cuenta no trabaja en este municipio"


class WithoutRole(SignInRefused):
    code = "without-role"
    title = "Tu cuenta todavía no tiene una función asignada"


class WithoutSecondFactor(SignInRefused):
    code = "without-second-factor"
    title = "Falta el segundo factor"


class AnotherPerson(SignInRefused):
    """The second factor that came back is somebody else's."""

    code = "another-person"
    title = "La confirmación es de otra cuenta"


class SignInRejected(SignInRefused):
    """The answer of the identity server does not hold."""

    code = "sign-in-rejected"
    title = "No se pudo confirmar tu identidad"


class SignInCancelled(DomainError):
    code = "sign-in-cancelled"
    status = 400
    title = "El ingreso no se completó"


class SignInExpired(DomainError):
    """The sign-in took too long, was already used, or began in another browser."""

    code = "sign-in-expired"
    status = 400
    title = "El ingreso venció"


class BadNotice(DomainError):
    """A logout notice that does not hold."""

    code = "bad-logout-notice"
    status = 400
    title = "El aviso de salida no es válido"


class MunicipalityBeingPrepared(Unavailable):
    """The municipality joined and its organization does not exist yet in the identity server."""

    code = "municipality-being-prepared"
    title = "El municipio se está preparando"
