"""Who signs, and how: signatures and the credentials they need. Pure, with the port CredentialSource."""
